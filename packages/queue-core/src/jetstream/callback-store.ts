import { headers } from '@nats-io/transport-node';
import { type CallbackTask, callbackSubject, callbackTaskCodec } from '../callback-task.ts';
import type { PublishResult } from '../publish-result.ts';
import type { Publisher } from './publisher.ts';
import { expectLast, setSchedule } from './schedule.ts';

/** Keeps callbacks that could not be delivered at once. Methods never throw. */
export class CallbackStore {
  readonly #publisher: Publisher;

  constructor(publisher: Publisher) {
    this.#publisher = publisher;
  }

  /**
   * Keeps the callback until `dueAt`, when a worker takes it up. `conflict` means that it is not the newest word on
   * this callback: another delivery has gone further.
   * @param dueAt Unix time in milliseconds
   * @param after stream sequence of the message that this one follows; 0 for a callback that is stored first
   */
  store(task: CallbackTask, body: Uint8Array, dueAt: number, after: number): Promise<PublishResult> {
    const result = headers();
    result.set(callbackTaskCodec.header, callbackTaskCodec.encode(task));
    setSchedule(result, callbackSubject('ready', task), dueAt);
    expectLast(result, callbackSubject('*', task), after);
    return this.#publisher.publish({ subject: callbackSubject('later', task), headers: result, body });
  }

  /** Keeps a callback that nobody has tried yet, for a worker to take up at once. `conflict`: it is kept already. */
  storeReady(task: CallbackTask, body: Uint8Array): Promise<PublishResult> {
    const result = headers();
    result.set(callbackTaskCodec.header, callbackTaskCodec.encode(task));
    expectLast(result, callbackSubject('*', task), 0);
    return this.#publisher.publish({ subject: callbackSubject('ready', task), headers: result, body });
  }
}
