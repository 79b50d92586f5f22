// Writes the manifests in deploy/kubernetes whose content stands elsewhere in deploy/: the permissions at NATS, which
// kustomize reads only from its own folder, and the rules of Prometheus as a PrometheusRule. With --check it writes
// nothing, and fails if one of them is out of date. Another root than this repository can be given as the last argument.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const written = 'Written by `pnpm docs:write`. Change';
const files = [
  {
    from: 'deploy/nats-permissions.conf',
    to: 'deploy/kubernetes/base/nats/nats-permissions.conf',
    render: (text, from) => `# ${written} ${from} instead.\n\n${text}`,
  },
  {
    from: 'deploy/prometheus/rules.yml',
    to: 'deploy/kubernetes/components/monitoring/prometheus-rule.yaml',
    render: renderRule,
  },
];

const root =
  process.argv.slice(2).find((argument) => argument !== '--check') ?? fileURLToPath(new URL('..', import.meta.url));
const check = process.argv.includes('--check');

for (const { from, to, render } of files) {
  const wanted = render(readFileSync(join(root, from), 'utf8'), from);
  const target = join(root, to);
  if (!check) {
    writeFileSync(target, wanted);
  } else if (!existsSync(target) || readFileSync(target, 'utf8') !== wanted) {
    process.stderr.write(`${to}: is out of date with ${from}: run \`pnpm docs:write\` and commit it\n`);
    process.exitCode = 1;
  }
}

/** The file of rules is the `spec` of the resource, line for line. */
function renderRule(text, from) {
  const head = [`# ${written} ${from} instead.`, 'apiVersion: monitoring.coreos.com/v1', 'kind: PrometheusRule'];
  const lines = text.trimEnd().split('\n');
  const spec = lines.map((line) => (line === '' ? '' : `  ${line}`));
  return `${[...head, 'metadata:', '  name: asyncfn', 'spec:', ...spec].join('\n')}\n`;
}
