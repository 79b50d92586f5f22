import type { CallIdentity } from '../../call/index.ts';
import { signalSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { TickBatch } from '../messages/index.ts';

/** Notifies the followers of a call that its state has changed. It costs one small message that is not stored. */
export class CallChangeNotifier {
  readonly #broker: Pick<Broker, 'connected' | 'connection'>;
  readonly #batch = new TickBatch<CallIdentity>((calls) => this.#send(calls));

  constructor(broker: Pick<Broker, 'connected' | 'connection'>) {
    this.#broker = broker;
  }

  notify(call: CallIdentity): void {
    this.#batch.add(call);
  }

  #send(calls: readonly CallIdentity[]): void {
    const { connection, connected } = this.#broker;
    if (connection === undefined || !connected || connection.isDraining()) {
      return; // nothing depends on it
    }
    for (const call of calls) {
      connection.publish(signalSubject(call, 'moved'));
    }
  }
}
