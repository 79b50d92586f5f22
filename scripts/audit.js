// Asks the registry for known vulnerabilities of what the lockfile names, and fails for those that are high or critical.
// A registry that cannot be reached, or does not answer such questions (mirrors often do not), is no failure: it says
// nothing about the code. The line that it prints tells which of these it was.
import { spawnSync } from 'node:child_process';
import process from 'node:process';

const severe = ['high', 'critical'];
const limitMs = 60_000;

const report = readReport();
if (report === undefined) {
  say('audit: not checked, since the registry does not answer audits');
} else {
  const found = severe.map((severity) => [severity, Number(report.metadata.vulnerabilities[severity] ?? 0)]);
  const total = found.reduce((sum, [, count]) => sum + count, 0);
  say(`audit: ${found.map(([severity, count]) => `${count} ${severity}`).join(', ')}`);
  for (const line of total > 0 ? describe(report) : []) {
    say(line);
  }
  process.exitCode = total > 0 ? 1 : 0;
}

/** The answer of `pnpm audit`, whatever its exit code; undefined if it has no answer of the registry. */
function readReport() {
  // One try is enough: a developer without a network should not wait for it.
  const patience = ['--fetch-retries=0', '--fetch-timeout=20000'];
  const { stdout } = spawnSync('pnpm', ['audit', '--json', ...patience], { encoding: 'utf8', timeout: limitMs });
  try {
    const parsed = JSON.parse(stdout);
    return typeof parsed.metadata?.vulnerabilities === 'object' ? parsed : undefined;
  } catch {
    return undefined;
  }
}

function describe({ advisories = {} }) {
  return Object.values(advisories)
    .filter(({ severity }) => severe.includes(severity))
    .map((advisory) => {
      const { severity, module_name: name, vulnerable_versions: versions, title, url } = advisory;
      return `  ${severity}: ${name} ${versions}: ${title} (${url})`;
    });
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
