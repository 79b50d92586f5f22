import { formatBytes, formatCount, formatDuration, formatMany } from '../format/index.ts';
import type { Tone } from '../ui/index.ts';

/** What is needed of a queue to see whether something is wrong with it. */
interface QueueFacts {
  readonly queue: string;
  readonly depth: number;
  readonly inFlight: number;
  readonly oldestAgeSeconds: number;
  readonly bytes: number;
  readonly maxBytes: number | null;
  readonly rates: { readonly inPerSecond: number; readonly outPerSecond: number };
}

interface FunctionFacts {
  readonly name: string;
  readonly paused: boolean;
}

/** Something that a person should look at. */
export interface Trouble {
  readonly tone: Extract<Tone, 'bad' | 'warn'>;
  readonly title: string;
  readonly detail: string;
  /** Where to look, below `/console`. */
  readonly link: { readonly href: string; readonly text: string };
}

export interface Facts {
  readonly queues: readonly QueueFacts[];
  readonly functions: readonly FunctionFacts[];
  /** Dead letters that were found; `more` if there are further ones. */
  readonly deadLetters: { readonly count: number; readonly more: boolean } | undefined;
}

/** A call that waits as long is a sign that something is wrong, in seconds. */
const longWait = 30;

/** A queue this full will soon refuse calls. */
const nearlyFull = 0.8;

/** Paused functions that are named. Further ones are counted. */
const mostNamed = 3;

/** What is wrong right now, the worst first. */
export function findTroubles({ queues, functions, deadLetters }: Facts): Trouble[] {
  const paused = functions.filter((each) => each.paused);
  const troubles = [
    ...queues.flatMap((queue) => troubleOfSpace(queue) ?? []),
    ...queues.flatMap((queue) => troubleOfWait(queue, paused.length > 0) ?? []),
    ...(paused.length === 0 ? [] : [pausedFunctions(paused)]),
    ...(deadLetters === undefined || deadLetters.count === 0 ? [] : [failedCalls(deadLetters)]),
  ];
  return troubles.toSorted((a, b) => Number(b.tone === 'bad') - Number(a.tone === 'bad'));
}

function troubleOfSpace({ queue, bytes, maxBytes }: QueueFacts): Trouble | undefined {
  if (maxBytes === null || bytes < maxBytes * nearlyFull) {
    return undefined;
  }
  return {
    tone: bytes >= maxBytes * 0.98 ? 'bad' : 'warn',
    title: `Queue ${queue} is ${Math.min(100, Math.round((bytes / maxBytes) * 100))} % full.`,
    detail: `${formatBytes(bytes)} of ${formatBytes(maxBytes)} are used. When it is full, new calls are answered 503 queue_full.`,
    link: { href: '/functions', text: 'See the functions' },
  };
}

/** @param isPaused whether a paused function may be the reason, which is said elsewhere */
function troubleOfWait(queue: QueueFacts, isPaused: boolean): Trouble | undefined {
  const { depth, inFlight, oldestAgeSeconds, rates } = queue;
  if (depth === 0 || oldestAgeSeconds < longWait) {
    return undefined;
  }
  const waits = `${formatMany(depth, 'call waits', 'calls wait')}, the oldest for ${formatDuration(oldestAgeSeconds * 1_000)}.`;
  const link = { href: '/functions', text: 'See the functions' };
  if (inFlight === 0 && rates.outPerSecond < 0.02) {
    return isPaused
      ? undefined
      : {
          tone: 'bad',
          title: `No worker takes calls from queue ${queue.queue}.`,
          detail: `${waits} Start a worker, or look at the log of those that run.`,
          link: { href: '/system', text: 'See the system' },
        };
  }
  if (rates.inPerSecond > rates.outPerSecond * 1.1) {
    return {
      tone: 'warn',
      title: `Queue ${queue.queue} fills faster than it drains.`,
      detail: `${waits} The functions, or their concurrency, are the limit: ${formatCount(inFlight)} calls are in flight.`,
      link,
    };
  }
  return undefined;
}

function pausedFunctions(paused: readonly FunctionFacts[]): Trouble {
  const [first] = paused;
  const names = paused.slice(0, mostNamed).map(({ name }) => name);
  const others = paused.length - names.length;
  return {
    tone: 'warn',
    title:
      paused.length === 1
        ? `Function ${first?.name} is paused.`
        : `${formatCount(paused.length)} functions are paused.`,
    detail: `${paused.length === 1 ? 'Its' : `${names.join(', ')}${others > 0 ? ` and ${formatCount(others)} more: their` : ': their'}`} calls are accepted and wait until it is resumed.`,
    link:
      paused.length === 1 && first !== undefined
        ? { href: `/functions/${first.name}`, text: 'Open the function' }
        : { href: '/functions', text: 'See the functions' },
  };
}

function failedCalls({ count, more }: { count: number; more: boolean }): Trouble {
  return {
    tone: 'warn',
    title: `${more ? 'More than ' : ''}${formatMany(count, 'call has', 'calls have')} failed.`,
    detail: 'They are kept for a week as dead letters. Find out why, then replay or drop them.',
    link: { href: '/dead-letters', text: 'See the dead letters' },
  };
}
