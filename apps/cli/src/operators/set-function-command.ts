import type { FunctionSettings } from '@asyncfn/client';
import { Command } from 'commander';
import { type Common, collect, durationTextOption, given, integerOption } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { parseSettings } from './parse-settings.ts';

interface SetFlags extends Common {
  readonly queue?: string;
  readonly timeout?: string;
  readonly concurrency?: number;
  readonly rate?: string;
  readonly maxPending?: number;
  readonly retries?: number;
  readonly callbackUrl?: string;
  readonly failureCallbackUrl?: string;
  readonly then?: string[];
  readonly settings?: string;
  readonly new?: true;
}

const count = integerOption(0, 1_000_000_000);

/** `asyncfn functions set NAME URL` */
export function setCommand(session: Session): Command {
  return new Command('set')
    .description('Register a function, or replace all of its settings.')
    .argument('<name>', 'NAME or NAME.NAMESPACE of the function')
    .argument('[url]', 'URL of the function')
    .option('--queue <queue>', 'the queue in which its calls wait')
    .option('--timeout <duration>', 'deadline of one attempt: 30s, 15m', durationTextOption)
    .option('--concurrency <number>', 'most calls in flight at once', count)
    .option('--rate <rate>', 'most attempts in a period: 20/1s, 1000/1d')
    .option('--max-pending <number>', 'most calls that may wait', count)
    .option('--retries <number>', 'retries after the first attempt', integerOption(0, 1_000))
    .option('--callback-url <url>', 'receives the results of its calls')
    .option('--failure-callback-url <url>', 'receives the ends of calls that fail or expire')
    .option('--then <step>', 'a function that follows with the result; repeatable', collect)
    .option('--settings <json>', 'all other settings, as in a functions file: \'{"retry":{"minWait":"1s"}}\'')
    .option('--new', 'refuse to replace a function that exists')
    .action(async (name: string, url: string | undefined, flags: SetFlags) => setOne(session, name, url, flags));
}

async function setOne(session: Session, name: string, url: string | undefined, flags: SetFlags): Promise<void> {
  const { terminal, signal } = session;
  const settings = toSettings(url, flags);
  const client = await openClient(session, flags);
  const stored = await client.functions.put(name, settings, { signal, mustBeNew: flags.new === true });
  if (flags.json) {
    terminal.printJson(stored);
  } else {
    terminal.print(`${stored.name} is set`);
  }
}

/** Those of `--settings`, and over them those of the options. */
function toSettings(url: string | undefined, flags: SetFlags): FunctionSettings {
  const { queue, timeout, concurrency, rate, maxPending, retries, callbackUrl, failureCallbackUrl, then } = flags;
  const base = parseSettings(flags.settings);
  const own = { url, queue, timeout, concurrency, rate, maxPending, callbackUrl, failureCallbackUrl, then };
  const retry = retries === undefined ? {} : { retry: { ...asObject(base['retry']), attempts: retries } };
  return { ...base, ...given(own), ...retry };
}

function asObject(value: unknown): object {
  return typeof value === 'object' && value !== null ? value : {};
}
