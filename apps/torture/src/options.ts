import { parseArgs } from 'node:util';
import { parseDuration } from '@asyncfn/units';
import type { Fault } from './faults/index.ts';

/** The options of the command line. */
export type CommandLine = RunCommand | { readonly command: 'help' };

interface RunCommand {
  readonly command: 'torture' | 'soak';
  readonly durationMs: number;
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly gapMs: number;
  readonly rate: number;
  readonly nodes: number;
  readonly folder: string;
}

/** The command line is wrong; the message says what is wrong. */
export class UsageError extends Error {}

export const usage = `pnpm torture [soak] [options]

  soak              breaks nothing, and watches memory, handles, consumers and streams

  --duration 5m     how long there is load and things are broken; all comes to rest after that
  --seed N          repeats the order of a run; default: at random
  --faults a,b      which to inject: parts of their names ("kill", "pause worker"); default: all; "none" for none
  --gap 2s          longest pause between two faults
  --rate 60         calls a second: more than the machine works off ends in a verdict that is not clean
  --nodes 3         nats-servers: 1, 3 or 5
  --out FOLDER      where the history goes; default: a temporary folder
  --help            prints this`;

interface Defaults {
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly folder: string;
}

/** Throws `UsageError`. */
export function parseCommandLine(args: readonly string[], defaults: Defaults): CommandLine {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    return { command: 'help' };
  }
  const { duration, gap, seed, rate, nodes, faults, out } = values;
  const numberOfNodes = toInteger('--nodes', nodes);
  if (![1, 3, 5].includes(numberOfNodes)) {
    throw new UsageError(`--nodes is ${nodes}: it must be 1, 3 or 5`);
  }
  return {
    command: toCommand(positionals),
    durationMs: toDuration('--duration', duration),
    gapMs: toDuration('--gap', gap),
    seed: seed === undefined ? defaults.seed : toInteger('--seed', seed),
    rate: toInteger('--rate', rate),
    nodes: numberOfNodes,
    faults: chooseFaults(defaults.faults, faults, numberOfNodes),
    folder: out ?? defaults.folder,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        duration: { type: 'string', default: '5m' },
        seed: { type: 'string' },
        faults: { type: 'string' },
        gap: { type: 'string', default: '2s' },
        rate: { type: 'string', default: '60' },
        nodes: { type: 'string', default: '3' },
        out: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

function toCommand(positionals: readonly string[]): RunCommand['command'] {
  const [word, more] = positionals;
  if ((word !== undefined && word !== 'soak') || more !== undefined) {
    throw new UsageError(`${positionals.join(' ')} is not a command; the only one is soak`);
  }
  return word ?? 'torture';
}

function chooseFaults(all: readonly Fault[], wanted: string | undefined, nodes: number): readonly Fault[] {
  const possible = all.filter((fault) => (fault.nodes ?? 1) <= nodes);
  if (wanted === undefined) {
    return possible;
  }
  if (wanted === 'none') {
    return [];
  }
  const parts = wanted.split(',').map((part) => part.trim());
  const unknown = parts.find((part) => part === '' || !possible.some(({ name }) => name.includes(part)));
  if (unknown !== undefined) {
    const names = possible.map(({ name }) => name).join(', ');
    throw new UsageError(`--faults: "${unknown}" matches none of: ${names}`);
  }
  return possible.filter(({ name }) => parts.some((part) => name.includes(part)));
}

function toDuration(option: string, text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined) {
    throw new UsageError(`${option} is ${text}: it must be a duration such as 90s, 5m or 1h`);
  }
  return ms;
}

function toInteger(option: string, text: string): number {
  if (!/^\d{1,10}$/.test(text)) {
    throw new UsageError(`${option} is ${text}: it must be a whole number`);
  }
  return Number(text);
}
