import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { findNatsServer } from '@asyncfn/nats-server';
import { allFaults } from './faults/index.ts';
import { parseCommandLine, UsageError, usage } from './options.ts';
import { formatReport } from './report.ts';
import { paceFor } from './rig/index.ts';
import { formatTrends, soak } from './soak/index.ts';
import { torture } from './torture.ts';

const startedAt = Date.now();

function log(line: string): void {
  const seconds = ((Date.now() - startedAt) / 1_000).toFixed(1).padStart(7);
  process.stdout.write(`${seconds} s  ${line}\n`);
}

async function main(): Promise<number> {
  const options = parseCommandLine(process.argv.slice(2), {
    faults: allFaults,
    seed: startedAt % 1_000_000,
    folder: join(tmpdir(), `asyncfn-torture-${startedAt}`),
  });
  if (options.command === 'help') {
    process.stdout.write(`${usage}\n`);
    return 0;
  }
  const { path } = await findNatsServer({ env: process.env, log });
  if (options.command === 'soak') {
    const { sent, accepted, trends, flat } = await soak({ ...options, natsServerBin: path, log });
    process.stdout.write(`\n${sent} calls sent, ${accepted} accepted\n${formatTrends(trends)}\n`);
    return flat ? 0 : 1;
  }
  const { verdict, faults, impacts } = await torture({
    ...options,
    pace: paceFor(options.rate),
    natsServerBin: path,
    log,
  });
  process.stdout.write(
    `\n${formatReport(verdict, faults, impacts)}\n\nhistory: ${join(options.folder, 'history.jsonl')}\n`,
  );
  return verdict.clean ? 0 : 1;
}

try {
  process.exitCode = await main();
} catch (error) {
  const text = error instanceof UsageError ? `${error.message}\n\n${usage}` : inspect(error);
  process.stderr.write(`${text}\n`);
  process.exitCode = error instanceof UsageError ? 64 : 1;
}
// If sockets are left to close, Node 20 may spin for ever instead of ending by itself.
process.stdout.write('', () => process.exit());
