import { parseArgs } from 'node:util';
import { type ScaleName, type Scenario, scales } from './scenario.ts';

export interface BenchOptions {
  readonly kind: 'run';
  /** Scenarios whose name contains one of these; all if there are no filters. */
  readonly filters: readonly string[];
  readonly scale: ScaleName;
  /** Replaces the scale's own number of rounds. */
  readonly rounds: number | undefined;
  /** Cores that the benchmark and everything that it starts share; undefined: all of the machine. */
  readonly cpus: number | undefined;
  /** Base name of the files that are written; undefined: none. */
  readonly out: string | undefined;
}

export type ParsedOptions = BenchOptions | { readonly kind: 'usage'; readonly problem: string | undefined };

const synopsis = `pnpm bench [filter ...] [--quick | --smoke] [--rounds N] [--cpus N] [--out NAME]

  filter    runs only scenarios and cases whose name contains it, such as "accept" or "accept/64"
  --quick   shorter and fewer rounds
  --smoke   shows that everything runs; the numbers mean nothing
  --rounds  how often each subject is measured
  --cpus    cores that everything shares, such as 1 or 0.5, to see a slower machine (Linux, as root)
  --out     writes NAME.md and NAME.json`;

/** The names of all options. */
export function toUsage(scenarios: readonly Pick<Scenario, 'name' | 'title'>[]): string {
  const width = Math.max(...scenarios.map(({ name }) => name.length)) + 2;
  const lines = scenarios.map(({ name, title }) => `  ${name.padEnd(width)}${title}`);
  return [synopsis, '', 'Scenarios:', '', ...lines].join('\n');
}

/** Parses the command line. pnpm passes on a leading `--`. */
export function parseOptions([first, ...others]: readonly string[]): ParsedOptions {
  try {
    const { values, positionals } = parseArgs({
      args: first === undefined || first === '--' ? others : [first, ...others],
      allowPositionals: true,
      options: {
        quick: { type: 'boolean' },
        smoke: { type: 'boolean' },
        rounds: { type: 'string' },
        cpus: { type: 'string' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
    if (values.help === true) {
      return { kind: 'usage', problem: undefined };
    }
    if (values.rounds !== undefined && !/^[1-9]\d?$/.test(values.rounds)) {
      return { kind: 'usage', problem: `--rounds is a number from 1 to 99, not ${values.rounds}` };
    }
    const rounds = values.rounds === undefined ? undefined : Number(values.rounds);
    const cpus = values.cpus === undefined ? undefined : Number(values.cpus);
    if (cpus !== undefined && !(cpus >= 0.1 && cpus <= 1_024)) {
      return { kind: 'usage', problem: `--cpus is a number of cores from 0.1, such as 0.5, not ${values.cpus}` };
    }
    return { kind: 'run', filters: positionals, scale: toScale(values), rounds, cpus, out: values.out };
  } catch (error) {
    return { kind: 'usage', problem: error instanceof Error ? error.message : String(error) };
  }
}

function toScale({ quick, smoke }: { quick?: boolean; smoke?: boolean }): ScaleName {
  if (smoke === true) {
    return scales.smoke.name;
  }
  return quick === true ? scales.quick.name : scales.full.name;
}
