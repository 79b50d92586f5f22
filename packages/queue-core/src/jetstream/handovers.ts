import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { type CallIdentity, identityTokens } from '../call-identity.ts';
import { asQueueError } from './connecting/set-up-error.ts';
import { lastMessage } from './last-message.ts';
import { MessageHeaders } from './message-headers.ts';
import type { Publisher } from './publisher.ts';
import type { QueueTopology } from './queue-topology.ts';

const stream = 'HANDOVERS';
const nanosPerMs = 1_000_000;
/** Bounds the memory of a worker whose broker stays full. */
const maxUnstored = 10_000;
const keptMs = 7 * 24 * 60 * 60 * 1000;

/** The stream of the notes. */
export function handoverStreamConfig(replicas: number) {
  return {
    name: stream,
    subjects: ['handovers.*.*.*'],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    discard: DiscardPolicy.Old,
    max_age: keptMs * nanosPerMs,
    num_replicas: replicas,
  };
}

/**
 * Notes which calls a worker has handed back unfinished when it was stopped. JetStream counts deliveries, and a
 * delivery that ended in a hand-over must not pass for a worker that the call has killed.
 */
export class Handovers {
  readonly #publisher: Publisher;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #unstored = new Map<string, number>();

  constructor(publisher: Publisher, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /** Notes one hand-over. Where the broker cannot store it, this process at least remembers it. Never throws. */
  async note(call: CallIdentity): Promise<void> {
    const subject = subjectOf(call);
    const message = { subject, headers: new MessageHeaders(), body: new Uint8Array() };
    const result = await this.#publisher.publish(message);
    if (result.kind === 'refused' && this.#unstored.size < maxUnstored) {
      this.#unstored.set(subject, (this.#unstored.get(subject) ?? 0) + 1);
    }
  }

  /** When the call was handed back last, by the broker's clock: Unix time in milliseconds. Throws `QueueError`. */
  async lastAt(call: CallIdentity): Promise<number | undefined> {
    const note = await lastMessage(this.#topology.manager, stream, subjectOf(call));
    return note?.time.getTime();
  }

  /** How often the call was handed back in the last week. Throws `QueueError`. */
  async count(call: CallIdentity): Promise<number> {
    const subject = subjectOf(call);
    try {
      const info = await this.#topology.manager.streams.info(stream, { subjects_filter: subject });
      return (info.state.subjects?.[subject] ?? 0) + (this.#unstored.get(subject) ?? 0);
    } catch (error) {
      throw asQueueError(error, 'the hand-overs of a call cannot be counted');
    }
  }
}

function subjectOf(call: CallIdentity): string {
  return `handovers.${identityTokens(call)}`;
}
