import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@asyncfn/nats-server/vitest';
import { expect, inject, onTestFailed } from 'vitest';
import type { Fault } from '../src/faults/fault.ts';
import { allFaults } from '../src/faults/schedule.ts';
import { formatReport } from '../src/report.ts';
import { type TortureOptions, type TortureResult, torture } from '../src/torture.ts';

type RunOptions = Partial<Omit<TortureOptions, 'faults'>> & {
  readonly durationMs: number;
  /** The faults, by name or as objects. Default: all. */
  readonly faults?: readonly (string | Fault)[];
};

/** Runs torture, and prints its log and report if the test fails. */
export async function runTorture({ faults, ...options }: RunOptions): Promise<TortureResult> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-torture-'));
  const lines: string[] = [];
  onTestFailed(() => void process.stderr.write(`${lines.join('\n')}\nhistory: ${folder}\n`));
  const result = await torture({
    seed: Number(process.env['E2E_SEED'] ?? Date.now() % 1_000_000),
    gapMs: 500,
    rate: 100,
    nodes: 1,
    folder,
    natsServerBin: inject('natsServerBin'),
    log: (line) => lines.push(line),
    faults: faults === undefined ? allFaults : named(faults),
    ...options,
  });
  lines.push(formatReport(result.verdict, result.faults, result.impacts));
  return result;
}

/** Nothing is broken, lost or left in the queues. A failure says so with the report, not with the stories of all calls. */
export function expectClean({ verdict, faults, impacts }: TortureResult): void {
  expect(verdict.clean, formatReport(verdict, faults, impacts)).toBe(true);
}

function named(faults: readonly (string | Fault)[]): Fault[] {
  return faults.map((wanted) => {
    const fault = typeof wanted === 'string' ? allFaults.find((each) => each.name === wanted) : wanted;
    if (fault === undefined) {
      throw new Error(`there is no such fault among: ${allFaults.map(({ name }) => name).join(', ')}`);
    }
    return fault;
  });
}
