import type { Attempt, CallState } from '../api/index.ts';
import { type CallReference, checkReference, hasEnded } from '../calls/index.ts';
import { UnreachableError } from '../errors/index.ts';
import { parseJson, type RequestOptions, type Transport, toPath, toQuery } from '../http/index.ts';
import { toLines } from './lines.ts';
import { type ServerSentEvent, toEvents } from './server-sent-events.ts';

/** Something has happened to a call. */
export interface CallEvent {
  /**
   * The call was stored (`accepted`), is sent to its function (`started`), has completed an attempt (`attempt`), has its outcome
   * (`ended`), or was called back (`callback`).
   */
  readonly type: 'accepted' | 'started' | 'attempt' | 'ended' | 'callback';
  /** The state of the call after it. */
  readonly call: CallState;
  /** Of `started` and `attempt`. */
  readonly attempt: Attempt | undefined;
}

/** Events were left out. */
export interface MissedEvents {
  readonly type: 'missed';
  /** How many; null if that is unknown. */
  readonly missed: number | null;
  /** Why it is unknown: `not_kept` after the connection was made again, `broker_unavailable` or `messages_lost`. */
  readonly reason: string | undefined;
}

export interface EventOptions extends RequestOptions {
  /** Only the events of this function's calls: `NAME` or `NAME.NAMESPACE`. Default: of all that the token may see. */
  readonly function?: string;
}

/** The gateway says every 15 s that it is there. */
const silenceMs = 45_000;
/** Between a stream that ends and the next one. */
const pauseMs = 500;
const types: ReadonlySet<string> = new Set(['accepted', 'started', 'attempt', 'ended', 'callback']);

/** The events of all calls, for ever: a broken connection is made again, and `missed` says so. */
export async function* followEvents(
  transport: Transport,
  options: EventOptions,
): AsyncGenerator<CallEvent | MissedEvents, never, undefined> {
  const path = `/system/events${toQuery({ function: options.function })}`;
  for (let isAgain = false; ; isAgain = true) {
    for await (const event of openEvents(transport, path, options.signal, isAgain)) {
      const known = toCallEvent(event);
      if (known !== undefined) {
        yield known;
      }
    }
    await transport.clock.sleep(pauseMs, options.signal);
  }
}

/** The states of one call, from the present one to the last. */
export async function* followCall(
  transport: Transport,
  callId: string,
  reference: CallReference,
): AsyncGenerator<CallState, void, undefined> {
  const { submitter, signal } = checkReference(reference);
  const path = `/async-function${toPath(callId)}${toQuery({ submitter })}`;
  let last = '';
  for (let isOver = false; !isOver; ) {
    for await (const { type, data } of openEvents(transport, path, signal, false)) {
      if (type === 'state' && data !== last) {
        last = data;
        const state = parseJson<CallState>(data);
        isOver = hasEnded(state);
        yield state;
      }
    }
    if (!isOver) {
      await transport.clock.sleep(pauseMs, signal);
    }
  }
}

/** The events of one connection, until it ends or breaks. */
async function* openEvents(
  transport: Transport,
  path: string,
  signal: AbortSignal | undefined,
  isAgain: boolean,
): AsyncGenerator<ServerSentEvent, void, undefined> {
  const headers = new Headers({ Accept: 'text/event-stream' });
  if (isAgain) {
    // Makes the gateway say that events are missing.
    headers.set('Last-Event-ID', 'before');
  }
  let isOpen = false;
  const onOpen = (): void => {
    isOpen = true;
  };
  try {
    const request = { method: 'GET', path, headers, repeat: 'safe', signal } as const;
    yield* toEvents(toLines(transport.stream(request, silenceMs, onOpen)));
  } catch (error) {
    // What has not begun was tried as often as the client may.
    if (!(isOpen && error instanceof UnreachableError)) {
      throw error;
    }
  }
}

/** Undefined for an event of a later version. */
function toCallEvent({ type, data }: ServerSentEvent): CallEvent | MissedEvents | undefined {
  if (type === 'missed') {
    const { missed, reason } = parseJson<{ missed: number | null; reason?: string }>(data);
    return { type, missed, reason };
  }
  if (!types.has(type)) {
    return undefined;
  }
  const { attempt, ...call } = parseJson<CallState & { attempt?: Attempt }>(data);
  return { type: type as CallEvent['type'], call, attempt };
}
