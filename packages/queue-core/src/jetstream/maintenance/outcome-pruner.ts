import { setTimeout as delay } from 'node:timers/promises';
import { AckPolicy, DeliverPolicy, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import { QueueError } from '../../errors.ts';
import { callbackStateCodec, type Outcome, outcomeCodec, outcomeSubject } from '../../records/index.ts';
import { asQueueError, type Broker } from '../connecting/index.ts';
import { keptMs, outcomeStream, type QueueTopology } from '../layout/index.ts';
import {
  expectLast,
  lastMessage,
  MessageHeaders,
  type PulledMessage,
  PullReader,
  parseDeliveryInfo,
} from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';
import { findMoving, tokensOf } from './moving-calls.ts';

export interface OutcomePrunerDependencies {
  readonly broker: Pick<Broker, 'connection' | 'connected' | 'createInbox' | 'apiPrefix'>;
  readonly topology: Pick<QueueTopology, 'manager'>;
  readonly publisher: Pick<Publisher, 'publish'>;
  /** How long the ends of calls that are done with are kept, in milliseconds. Default: as the stream says. */
  readonly keptMs?: number;
  readonly sleep?: (ms: number) => Promise<unknown>;
}

/** What one round has done. */
export interface Pruned {
  readonly forgotten: number;
  /** Stored again, because their calls are still in motion. */
  readonly kept: number;
}

/** A record of the stream that is old enough to be forgotten. */
interface OldRecord {
  readonly sequence: number;
  readonly subject: string;
  /** Undefined for the state of a callback, and for what cannot be read. */
  readonly outcome: Outcome | undefined;
}

/** Records of a page. The server answers no more than 1,024 subjects at once. */
const pageSize = 200;
/** Pages of a round, so that each round looks again how long ends are kept. */
const maxPages = 50;
/** After this the broker clears away by itself what we could not. */
const idleNanos = 10_000_000_000;
/** A replica may be so far behind, in milliseconds, in what it says of a call. */
const behindMs = 2_000;

/**
 * Forgets ends that are old and whose calls are done with. An end is what keeps a call from being run again, so it stays for
 * as long as there is a message of its call anywhere: it is stored again, at the end of the stream, and then all that is
 * older than the last record that was looked at is removed at once (ADR 38).
 *
 * Safe in many processes at once: no message of a call comes after there was none.
 */
export class OutcomePruner {
  readonly #deps: OutcomePrunerDependencies;
  readonly #sleep: (ms: number) => Promise<unknown>;

  constructor(deps: OutcomePrunerDependencies) {
    this.#deps = deps;
    this.#sleep = deps.sleep ?? delay;
  }

  /** One round. Throws `QueueError`, and then nothing is removed but what was looked at whole. */
  async prune(): Promise<Pruned> {
    let forgotten = 0;
    let kept = 0;
    for (let page = 0; page < maxPages; page++) {
      const info = await this.#info();
      const old = await this.#readOld(info);
      const last = old.at(-1);
      if (last === undefined) {
        break;
      }
      const stay = await this.#findStaying(old, info.config.num_replicas);
      for (const record of stay) {
        await this.#storeAgain(record);
      }
      await this.#removeUpTo(last.sequence);
      kept += stay.length;
      forgotten += old.length - stay.length;
      if (old.length < pageSize) {
        break;
      }
    }
    return { forgotten, kept };
  }

  async #info(): Promise<StreamInfo> {
    try {
      return await this.#manager.streams.info(outcomeStream);
    } catch (error) {
      throw asQueueError(error, 'it cannot be seen how old the ends of calls are');
    }
  }

  get #manager(): JetStreamManager {
    return this.#deps.topology.manager;
  }

  /** The oldest records, up to the first that is young. By the broker's clock alone. */
  async #readOld(info: StreamInfo): Promise<OldRecord[]> {
    const bound = brokerTime(info) - (this.#deps.keptMs ?? keptMs(info));
    if (info.state.messages === 0 || Date.parse(info.state.first_ts) > bound) {
      return [];
    }
    const records = await this.#readHeaders(info.state.first_seq);
    const young = records.findIndex(({ message }) => storedAtMs(message.reply) > bound);
    return (young < 0 ? records : records.slice(0, young)).map(toRecord);
  }

  /** Bodies stay with the broker. */
  async #readHeaders(from: number): Promise<PulledMessage[]> {
    const { connection, connected, apiPrefix } = this.#deps.broker;
    if (connection === undefined || !connected) {
      throw new QueueError('broker', 'the ends of calls cannot be read without a connection');
    }
    try {
      const consumer = await this.#manager.consumers.add(outcomeStream, {
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: from,
        ack_policy: AckPolicy.None,
        headers_only: true,
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: idleNanos,
      });
      try {
        const inbox = this.#deps.broker.createInbox();
        return await new PullReader(connection, consumer, { inbox, apiPrefix }).read(pageSize);
      } finally {
        await this.#manager.consumers.delete(outcomeStream, consumer.name).catch(() => false);
      }
    } catch (error) {
      throw asQueueError(error, 'the ends of calls cannot be read');
    }
  }

  /** Those of calls in motion, and the states of callbacks whose end stays or is younger. */
  async #findStaying(old: readonly OldRecord[], replicas: number): Promise<OldRecord[]> {
    const ends = old.flatMap(({ outcome }) => outcome ?? []);
    const moving = new Set(await findMoving(this.#manager, ends));
    if (replicas > 1) {
      await this.#sleep(behindMs);
      for (const call of await findMoving(this.#manager, ends)) {
        moving.add(call);
      }
    }
    const gone = new Set(
      ends.filter((end) => !moving.has(tokensOf(end))).map((end) => `${outcomeSubject(end)}.callback`),
    );
    const stay: OldRecord[] = [];
    for (const record of old) {
      const stays =
        record.outcome === undefined ? await this.#hasEnd(record, gone) : moving.has(tokensOf(record.outcome));
      if (stays) {
        stay.push(record);
      }
    }
    return stay;
  }

  /** Whether the end that the state of a callback belongs to is still there, and is not about to go. */
  async #hasEnd({ subject }: OldRecord, gone: ReadonlySet<string>): Promise<boolean> {
    const end = subject.endsWith('.callback') ? subject.slice(0, -'.callback'.length) : undefined;
    return (
      end !== undefined && !gone.has(subject) && (await lastMessage(this.#manager, outcomeStream, end)) !== undefined
    );
  }

  /** At the end of the stream. If somebody else has done so, or has written something newer, that stays. */
  async #storeAgain({ subject, sequence }: OldRecord): Promise<void> {
    const message = await lastMessage(this.#manager, outcomeStream, subject);
    if (message === undefined || message.seq !== sequence) {
      return;
    }
    const headers = new MessageHeaders();
    for (const { header } of [outcomeCodec, callbackStateCodec]) {
      const value = message.header.get(header);
      if (value !== '') {
        headers.set(header, value);
      }
    }
    expectLast(headers, subject, sequence);
    const result = await this.#deps.publisher.publish({ subject, headers, body: message.data });
    if (result.kind === 'refused' && result.reason !== 'conflict') {
      throw new QueueError('broker', `the end of a call in motion cannot be stored again: ${result.detail}`);
    }
  }

  async #removeUpTo(sequence: number): Promise<void> {
    try {
      await this.#manager.streams.purge(outcomeStream, { seq: sequence + 1 });
    } catch (error) {
      throw asQueueError(error, 'ends of calls that are old cannot be removed');
    }
  }
}

/** What the broker's clock says. Its API tells it with each answer. */
function brokerTime({ ts }: StreamInfo): number {
  return ts === undefined ? Date.now() : Date.parse(ts);
}

function storedAtMs(reply: string | undefined): number {
  return parseDeliveryInfo(reply ?? '')?.storedAtMs ?? Number.POSITIVE_INFINITY;
}

function toRecord({ message, sequence }: PulledMessage): OldRecord {
  const outcome = outcomeCodec.decode(message.headers?.get(outcomeCodec.header) ?? '');
  return { sequence, subject: message.subject, outcome };
}
