import type { CallState } from '../api/index.ts';
import { checkOptions } from '../errors/index.ts';
import { checkMs, type Transport } from '../http/index.ts';
import { type CallReference, getCall, referenceOptions } from './read-call.ts';
import type { Waiting } from './waiting.ts';

export interface WaitOptions extends CallReference {
  /** How long to wait, in milliseconds. Default: until the call has ended. */
  readonly timeoutMs?: number;
}

/** Long enough to cost little, and shorter than the time limits that proxies have by default. */
const pollMs = 30_000;
/** Between two answers that came early, as those of a gateway that stops. */
const pauseMs = 250;

/** Whether the call has reached its end, and changes no more unless it is replayed. */
export function hasEnded({ status }: Pick<CallState, 'status'>): boolean {
  return status === 'succeeded' || status === 'failed' || status === 'cancelled' || status === 'expired';
}

/** The state of the call when it has ended, or when the time is up. */
export async function waitForCall(transport: Transport, callId: string, options: WaitOptions): Promise<CallState> {
  checkOptions(options, { ...referenceOptions, timeoutMs: true });
  const { timeoutMs, ...reference } = options;
  return await longPoll(transport, { timeoutMs, signal: reference.signal }, hasEnded, (waiting) =>
    getCall(transport, callId, reference, waiting),
  );
}

interface LongPoll {
  readonly timeoutMs: number | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Asks again and again, each time for as long as a request may wait, until the end or until the time is up. */
export async function longPoll<T>(
  { clock }: Transport,
  { timeoutMs, signal }: LongPoll,
  isEnd: (state: T) => boolean,
  ask: (waiting: Waiting) => Promise<T>,
): Promise<T> {
  const deadline = timeoutMs === undefined ? Infinity : clock.now() + checkMs('timeoutMs', timeoutMs);
  for (;;) {
    const askedAt = clock.now();
    const leftMs = Math.max(0, deadline - askedAt);
    const waitMs = Math.min(pollMs, leftMs);
    // A retry waits for what is left.
    const parameter = (): string | undefined => toParameter(Math.min(pollMs, deadline - clock.now()));
    const state = await ask({ waitMs, parameter, ...(leftMs !== Infinity && { maxElapsedMs: leftMs }) });
    if (isEnd(state) || clock.now() >= deadline) {
      return state;
    }
    if (clock.now() - askedAt < Math.min(pauseMs, waitMs)) {
      await clock.sleep(Math.min(pauseMs, Math.max(0, deadline - clock.now())), signal);
    }
  }
}

function toParameter(waitMs: number): string | undefined {
  return waitMs > 0 ? `${Math.ceil(waitMs)}ms` : undefined;
}
