import type { CallIdentity } from '../../call/index.ts';
import { wordSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { TurnBatch } from '../messages/index.ts';

/** Tells those who follow a call that it has moved. Costs one small message that is not stored. */
export class MoveNotices {
  readonly #broker: Pick<Broker, 'connected' | 'connection'>;
  readonly #batch = new TurnBatch<CallIdentity>((calls) => this.#send(calls));

  constructor(broker: Pick<Broker, 'connected' | 'connection'>) {
    this.#broker = broker;
  }

  tell(call: CallIdentity): void {
    this.#batch.add(call);
  }

  #send(calls: readonly CallIdentity[]): void {
    const { connection, connected } = this.#broker;
    if (connection === undefined || !connected || connection.isDraining()) {
      return; // no one depends on it
    }
    for (const call of calls) {
      connection.publish(wordSubject(call, 'moved'));
    }
  }
}
