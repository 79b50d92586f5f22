import type { StreamInfo } from '@nats-io/jetstream';
import {
  type BodyRecord,
  bodyChunkFilter,
  bodyChunkSubject,
  bodyIdIn,
  bodyRecordCodec,
  bodyRecordFilter,
} from '../../bodies/index.ts';
import { forEachLimited } from '../../for-each-limited.ts';
import { asQueueError } from '../connecting/index.ts';
import { bodyStream, type QueueTopology } from '../layout/index.ts';
import { lastMessage, type PageBroker, type PulledMessage, parseDeliveryInfo, readPage } from '../messages/index.ts';
import { BodyRecords, type BodyRecordsDependencies } from './body-records.ts';
import { isReferred } from './body-references.ts';
import type { BodyStore } from './body-store.ts';

export interface BodySweeperDependencies extends BodyRecordsDependencies {
  readonly broker: PageBroker;
  readonly topology: Pick<QueueTopology, 'manager' | 'listQueues'>;
  readonly bodies: Pick<BodyStore, 'removeUnused'>;
  /** Age from which a body without a reference, or an upload without a new chunk, is removed, in milliseconds. */
  readonly graceMs: number;
}

/** The result of one round. */
export interface Swept {
  readonly removed: number;
  /** Bodies and uploads that are old enough to be looked at, and stay. */
  readonly kept: number;
}

/** A record that is old enough. */
interface OldBody {
  readonly id: string;
  readonly sequence: number;
  readonly record: BodyRecord;
}

/** Records of a page. */
const pageSize = 256;
/** Bodies that are looked at at once. */
const looksAtOnce = 4;

/**
 * Removes what crashes, vanished clients and lost races have left in the store of bodies: uploads without progress, and
 * bodies that nothing refers to. Safe in many processes at once, and beside everything else.
 */
export class BodySweeper {
  readonly #deps: BodySweeperDependencies;
  readonly #records: BodyRecords;

  constructor(deps: BodySweeperDependencies) {
    this.#deps = deps;
    this.#records = new BodyRecords(deps);
  }

  /** Runs one round. Throws `QueueError`. */
  async sweep(): Promise<Swept> {
    // Before the records: a chunk is stored only after its record, so one without a record has lost it.
    const info = await this.#info();
    const strays = new Set(Object.keys(info.state.subjects ?? {}).flatMap((subject) => bodyIdIn(subject) ?? []));
    const removed = new Set<string>();
    let looked = 0;
    const bound = Date.parse(info.ts ?? '') - this.#deps.graceMs;
    await this.#eachPage(async (messages) => {
      const old = messages.flatMap((message) => {
        const body = toBody(message);
        strays.delete(body?.id ?? '');
        return body !== undefined && storedAtMs(message) <= bound ? [body] : [];
      });
      looked += old.length;
      await forEachLimited(old, looksAtOnce, async (body) => {
        if (await this.#remove(body, bound)) {
          removed.add(body.id);
        }
      });
    });
    await forEachLimited([...strays], looksAtOnce, async (id) => {
      // The list may have missed a record that was replaced meanwhile.
      if (!(await this.#records.isThere(id))) {
        await this.#records.purge(id);
        removed.add(id);
      }
    });
    return { removed: removed.size, kept: Math.max(0, looked - removed.size) };
  }

  /** Whether it was removed. */
  async #remove({ id, sequence, record }: OldBody, bound: number): Promise<boolean> {
    switch (record.state) {
      case 'uploading':
        return !(await this.#isFedSince(id, bound)) && (await this.#records.remove(id, sequence));
      case 'stored':
        // Most are needed, and a look costs no write.
        return !(await isReferred(this.#deps.topology, record)) && (await this.#removeUnused(id));
      case 'condemned':
        return this.#removeUnused(id);
    }
  }

  async #removeUnused(id: string): Promise<boolean> {
    return (await this.#deps.bodies.removeUnused({ id })) === 'removed';
  }

  /** Whether a chunk has come since then. */
  async #isFedSince(id: string, bound: number): Promise<boolean> {
    const last = await lastMessage(this.#deps.topology.manager, bodyStream, bodyChunkSubject(id));
    return last !== undefined && last.time.getTime() > bound;
  }

  async #info(): Promise<StreamInfo> {
    try {
      return await this.#deps.topology.manager.streams.info(bodyStream, { subjects_filter: bodyChunkFilter });
    } catch (error) {
      throw asQueueError(error, 'the stored bodies cannot be listed');
    }
  }

  async #eachPage(look: (messages: readonly PulledMessage[]) => Promise<void>): Promise<void> {
    const { broker, topology } = this.#deps;
    for (let from = 1; ; ) {
      const range = { stream: bodyStream, from, subjects: [bodyRecordFilter] };
      const messages = await readPage(broker, topology.manager, range, (reader) => reader.read(pageSize));
      await look(messages);
      if (messages.length < pageSize) {
        return;
      }
      from = (messages.at(-1)?.sequence ?? 0) + 1;
    }
  }
}

/** Undefined for what is not ours. */
function toBody({ message, sequence }: PulledMessage): OldBody | undefined {
  const id = bodyIdIn(message.subject);
  const record = bodyRecordCodec.decode(message.headers?.get(bodyRecordCodec.header) ?? '');
  return id === undefined || record === undefined ? undefined : { id, sequence, record };
}

function storedAtMs({ message }: PulledMessage): number {
  return parseDeliveryInfo(message.reply ?? '')?.storedAtMs ?? Number.POSITIVE_INFINITY;
}
