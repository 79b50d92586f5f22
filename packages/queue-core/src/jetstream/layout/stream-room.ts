import type { StreamInfo } from '@nats-io/jetstream';
import { queueStream } from '../../call/index.ts';
import { asQueueError } from '../connecting/index.ts';
import type { QueueTopology } from './queue-topology.ts';
import { callbackStream, cancelStream, expiryStream, scheduleStream } from './record-streams.ts';

/** The usage of a stream with a limit. */
interface Level {
  /** The broker's last report. */
  readonly bytes: number;
  readonly maxBytes: number;
  /** Bytes that this process has sent since. */
  added: number;
}

/**
 * The part of a limited stream that is used. The rest is for what other processes send before the next refresh: if all
 * of them send what they may, and refresh one after the other, they exceed it by half of what was left.
 */
const usedShare = 0.6;

/**
 * How many processes may send to a stream without knowing of each other: between two refreshes each sends at most its
 * part of what is left.
 */
const senders = 16;

/** The share of the room that one message may take, if a sender's share is less than that. */
const largestPart = 1 / 4;

/**
 * If one of these streams discarded messages, waiting work would be lost. The other streams may discard their oldest.
 */
const keepers = new Map([
  ['callbacks', callbackStream],
  ['cancels', cancelStream],
  ['claims', expiryStream],
  ['expiries', expiryStream],
  ['schedules', scheduleStream],
]);

/** Why a message may not be sent now. */
export type RoomRefusal = 'queue_full' | 'overloaded';

type Topology = Pick<QueueTopology, 'manager' | 'ready' | 'listQueues' | 'onStream'>;

/**
 * Enforces the limits of streams that have one. JetStream makes room in a full stream by discarding its oldest
 * messages, and does not allow the policy that refuses new ones for a stream with message schedules (ADR 1). So the
 * sender enforces the limit (P2).
 */
export class StreamRoom {
  readonly #topology: Topology;
  readonly #levels = new Map<string, Level>();

  constructor(topology: Topology) {
    this.#topology = topology;
    topology.onStream((info) => this.#take(info, 0));
  }

  /** Why a message may not be sent to the subject; counts it if it may. */
  refusalFor(subject: string, bytes: number): RoomRefusal | undefined {
    const level = this.#levels.size === 0 ? undefined : this.#levels.get(streamOf(subject) ?? '');
    if (level === undefined) {
      return undefined;
    }
    const left = level.maxBytes * usedShare - level.bytes;
    if (level.added + bytes > left) {
      return 'queue_full';
    }
    const isFirst = level.added === 0 && bytes <= left * largestPart;
    if (!isFirst && level.added + bytes > left / senders) {
      return 'overloaded';
    }
    level.added += bytes;
    return undefined;
  }

  /** Asks the broker for the usage. Call it twice a second if streams have limits. Throws `QueueError`. */
  async refresh(): Promise<void> {
    if (!this.#topology.ready) {
      return;
    }
    const queues = await this.#topology.listQueues();
    const streams = [...queues.map(queueStream), ...keepers.values()];
    await Promise.all(streams.map((stream) => this.#lookAt(stream)));
  }

  async #lookAt(stream: string): Promise<void> {
    const before = this.#levels.get(stream)?.added ?? 0;
    try {
      const info = await this.#topology.manager.streams.info(stream);
      // The broker's answer may or may not include what was sent in the meantime.
      this.#take(info, (this.#levels.get(stream)?.added ?? 0) - before);
    } catch (error) {
      throw asQueueError(error, `the size of stream ${stream} cannot be read`);
    }
  }

  #take({ config, state }: StreamInfo, added: number): void {
    if (config.max_bytes > 0) {
      this.#levels.set(config.name, { bytes: state.bytes, maxBytes: config.max_bytes, added });
    } else {
      this.#levels.delete(config.name);
    }
  }
}

/**
 * The stream that must not lose the message; undefined if it may, and for the state of a flow key: it takes the place of the
 * one before, and the end of each call with a key stores one.
 */
function streamOf(subject: string): string | undefined {
  const [root = '', queue = '', kind] = subject.split('.', 3);
  if (root === 'flows' && kind === 'flow') {
    return undefined;
  }
  return root === 'calls' || root === 'flows' ? queueStream(queue) : keepers.get(root);
}
