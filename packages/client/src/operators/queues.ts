import type { QueueDetail, QueueState } from '../api/index.ts';
import { getJson, type RequestOptions, type Transport, toPath } from '../http/index.ts';
import { type PurgeOptions, purge } from './purge.ts';

/** The queues. */
export class Queues {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** All queues: what waits in each, how long it has waited, and how durable it is. */
  async list(options: RequestOptions = {}): Promise<QueueState[]> {
    const { queues } = await getJson<{ queues: QueueState[] }>(this.#transport, '/system/queues', options);
    return queues;
  }

  /** One queue, with its functions. `unknown_queue` if there is none of this name. */
  async get(queue: string, options: RequestOptions = {}): Promise<QueueDetail> {
    return await getJson<QueueDetail>(this.#transport, `/system/queues${toPath(queue)}`, options);
  }

  /** Cancels the waiting calls of a queue, and returns how many they were. */
  async purge(queue: string, options: PurgeOptions = {}): Promise<number> {
    return await purge(this.#transport, `/system/queues${toPath(queue, 'purge')}`, options);
  }
}
