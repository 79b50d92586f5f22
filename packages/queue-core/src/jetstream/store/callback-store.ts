import type { GenerationKey } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import { type CallbackTask, callbackSubject, callbackTaskCodec } from '../../records/index.ts';
import { callbackStream, type QueueTopology } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, setSchedule } from '../messages/index.ts';
import type { Publisher } from '../publish/index.ts';

/** Stores callbacks that could not be delivered at once. Methods that publish never throw. */
export class CallbackStore {
  readonly #publisher: Publisher;
  readonly #topology: Pick<QueueTopology, 'manager'>;

  constructor(publisher: Publisher, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
  }

  /**
   * Stores the callback until `dueAt`, when a worker takes it. `conflict` means that it is not the newest message of
   * this callback: another delivery has gone further.
   * @param dueAt Unix time in milliseconds
   * @param after stream sequence of the message that this one replaces; 0 for a callback that is stored for the first
   * time
   */
  store(task: CallbackTask, body: Uint8Array, dueAt: number, after: number): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(callbackTaskCodec.header, callbackTaskCodec.encode(task));
    setSchedule(result, callbackSubject('ready', task), dueAt);
    expectLast(result, callbackSubject('*', task), after);
    return this.#publisher.publish({ subject: callbackSubject('later', task), headers: result, body });
  }

  /** Stores a callback that has not been tried yet, for a worker to take at once. `conflict`: it is already stored. */
  storeReady(task: CallbackTask, body: Uint8Array): Promise<PublishResult> {
    const result = new MessageHeaders();
    result.set(callbackTaskCodec.header, callbackTaskCodec.encode(task));
    expectLast(result, callbackSubject('*', task), 0);
    return this.#publisher.publish({ subject: callbackSubject('ready', task), headers: result, body });
  }

  /** The newest message of a callback, ready or scheduled; undefined if none is stored. Throws `QueueError`. */
  async find(of: GenerationKey): Promise<CallbackTask | undefined> {
    const message = await lastMessage(this.#topology.manager, callbackStream, callbackSubject('*', of));
    return message && callbackTaskCodec.decode(message.header.get(callbackTaskCodec.header));
  }
}
