import { type CallEvent, functionOfEvent, otherFunctions, stateOfEvent } from '@asyncfn/queue-core';
import type { EventListener, EventRelease, EventSubscription, LossReason } from '@asyncfn/queue-core/jetstream';
import { toAttemptView, toCallView } from '../calls/index.ts';
import type { AcceptContext } from '../enqueue/index.ts';
import type { EventOutput } from './event-output.ts';

/** The events of all processes, while it is open. */
export type EventSource = Pick<EventSubscription, 'available' | 'open' | 'close'>;

/** A client, and the functions that it hears of. */
export interface EventClient {
  readonly output: EventOutput;
  readonly hears: (functionName: string) => boolean;
}

/** An event as clients get it. */
interface Entry {
  readonly function: string;
  readonly text: Buffer;
}

/** Passes the events of all processes on to the clients of this one. It listens while it has clients. */
export class EventFeed implements EventListener {
  readonly #source: EventSource;
  readonly #lookup: AcceptContext['lookup'];
  readonly #clients = new Set<EventClient>();

  constructor(subscribe: (listener: EventListener) => EventSource, lookup: AcceptContext['lookup']) {
    this.#source = subscribe(this);
    this.#lookup = lookup;
  }

  /** Whether the gateway can listen: it is connected to the broker. */
  get available(): boolean {
    return this.#source.available;
  }

  /** Resolves once the client gets what happens from now on. */
  async add(client: EventClient): Promise<void> {
    this.#clients.add(client);
    await this.#source.open();
  }

  remove(client: EventClient): void {
    if (this.#clients.delete(client) && this.#clients.size === 0) {
      this.#source.close();
    }
  }

  receive({ events, missed }: EventRelease): void {
    const entries = events.flatMap((event) => this.#toEntry(event) ?? []);
    const all = joined(entries);
    for (const { output, hears } of this.#clients) {
      const hearsIt = memoized(hears);
      const heard = entries.filter((entry) => hearsIt(entry.function));
      if (heard.length > 0) {
        output.offer(heard.length === entries.length ? all : joined(heard), heard.length);
      }
      pass(output, hearsIt, missed);
    }
  }

  lost(reason: LossReason): void {
    for (const { output } of this.#clients) {
      output.gap(reason);
    }
  }

  #toEntry(event: CallEvent): Entry | undefined {
    const state = stateOfEvent(event);
    if (state === undefined) {
      return undefined;
    }
    const { kind, attempt } = event;
    const view = {
      ...toCallView(state, this.#lookup),
      ...(attempt !== undefined && { attempt: toAttemptView(attempt) }),
    };
    const text = Buffer.from(`event: ${kind}\ndata: ${JSON.stringify(view)}\n\n`);
    return { function: functionOfEvent(event), text };
  }
}

function joined(entries: readonly Entry[]): Buffer {
  return Buffer.concat(entries.map(({ text }) => text));
}

/** Tells a client what was left out of what it hears. Of functions without a name it is told that it may be some. */
function pass(output: EventOutput, hears: EventClient['hears'], missed: EventRelease['missed']): void {
  const counts = Object.entries(missed).flatMap(([name, count]) => (hears(name) ? count : []));
  const events = counts.reduce((sum, count) => sum + count, 0);
  if (events > 0) {
    output.miss(events);
  }
  if (missed[otherFunctions] !== undefined && !hears(otherFunctions)) {
    output.gap('messages_lost');
  }
}

/** Asks once for each name. */
function memoized(hears: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>();
  return (name) => {
    const answer = known.get(name) ?? hears(name);
    known.set(name, answer);
    return answer;
  };
}
