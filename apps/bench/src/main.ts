import { writeFile } from 'node:fs/promises';
import { findNatsServer } from '@asyncfn/nats-server';
import { readEnvironment } from './environment.ts';
import { type BenchOptions, parseOptions, toUsage } from './options.ts';
import { limitCpus } from './processes/index.ts';
import { toMarkdown } from './report/index.ts';
import { runScenarios } from './run-scenarios.ts';
import { scales } from './scenario.ts';
import { createScenarios } from './scenarios/index.ts';
import { select } from './select.ts';

const options = parseOptions(process.argv.slice(2));
if (options.kind === 'usage') {
  const isMistake = options.problem !== undefined;
  const usage = toUsage(createScenarios({ natsServerBin: '' }));
  process[isMistake ? 'stderr' : 'stdout'].write(`${isMistake ? `${options.problem}\n\n` : ''}${usage}\n`);
  process.exitCode = isMistake ? 64 : 0;
} else {
  process.exitCode = await bench(options);
}

/** Progress goes to standard error, the report to standard output and, on request, to files. */
async function bench({ filters, scale: scaleName, rounds, cpus, out }: BenchOptions): Promise<number> {
  await using _quota = cpus === undefined ? undefined : await limitCpus(process.pid, cpus);
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const server = await findNatsServer({ env: process.env, log: progress });
  const scale = { ...scales[scaleName], ...(rounds !== undefined && { rounds }) };
  const selected = select(createScenarios({ natsServerBin: server.path }), filters, scale);
  if (selected.length === 0) {
    progress(`no scenario fits ${filters.join(', ')}`);
    return 64;
  }
  const scenarios = await runScenarios(selected, scale, progress);
  const report = { environment: readEnvironment(server.version, new Date(), cpus), scale: scaleName, scenarios };
  process.stdout.write(toMarkdown(report));
  if (out !== undefined) {
    await writeFile(`${out}.md`, toMarkdown(report));
    await writeFile(`${out}.json`, `${JSON.stringify(report, null, 2)}\n`);
  }
  return 0;
}
