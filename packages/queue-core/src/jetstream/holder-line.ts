import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { CallIdentity } from '../call-identity.ts';
import type { GenerationKey } from '../generation.ts';
import {
  anyWordSubject,
  type CallWord,
  type HeldReport,
  heldReportCodec,
  wordCall,
  wordSubject,
} from '../held-call.ts';
import type { Broker } from './broker.ts';
import { inboxCallback } from './inbox-callback.ts';
import { TurnBatch } from './turn-batch.ts';

/**
 * How long the worker that holds a call may take to say so. It answers in a millisecond; a dead one never does, and
 * nobody may have to wait for it.
 */
const answerMs = 300;
/** How long a worker that has said so may take to abort an attempt. */
const abortMs = 2_000;

/** What a worker can say of the calls in its hands. */
export interface HeldCallDesk {
  /** Undefined for a call that it does not know: then another worker may. */
  report(call: CallIdentity): HeldReport | undefined;
  /**
   * The call has been cancelled: its attempt is aborted, and a delivery that is on its way is not run. Returns whether it
   * was in hand.
   */
  cancel(key: GenerationKey): boolean;
}

/** Has a worker answer for the calls in its hands, for as long as the broker is there. */
export function answerForHeldCalls(broker: Broker, desk: HeldCallDesk): void {
  let subscribed = false;
  broker.onConnect((connection) => {
    if (subscribed) {
      return; // the client renews its subscriptions by itself
    }
    subscribed = true;
    listen(connection, 'running', (message, call) => {
      const report = desk.report(call);
      if (report !== undefined) {
        message.respond(heldReportCodec.encode(report));
      }
    });
    listen(connection, 'cancel', (message, call) => {
      if (desk.cancel({ ...call, generation: Number(message.string()) })) {
        message.respond();
      }
    });
  });
}

function listen(connection: NatsConnection, word: CallWord, handle: (message: Msg, call: CallIdentity) => void): void {
  const callback = inboxCallback((message) => {
    const call = wordCall(message.subject);
    if (call !== undefined) {
      handle(message, call);
    }
  });
  connection.subscribe(anyWordSubject(word), { callback });
}

/** Tells whoever follows a call that it has moved. Costs one small message that is not stored. */
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
      return; // nobody depends on it
    }
    for (const call of calls) {
      connection.publish(wordSubject(call, 'moved'));
    }
  }
}

/**
 * A gateway's line to whichever worker holds a call. It is used also while the broker is suspected to be away: a word that
 * nobody hears costs a time limit, and one that is not sent lets a call run that was cancelled.
 */
export class HolderLine {
  readonly #broker: Pick<Broker, 'attached' | 'connection'>;

  constructor(broker: Pick<Broker, 'attached' | 'connection'>) {
    this.#broker = broker;
  }

  /** What the worker says that has the call in hand; undefined where none answers. Never rejects. */
  async ask(call: CallIdentity): Promise<HeldReport | undefined> {
    const answer = await this.#request(call, 'running', '', answerMs);
    return answer && heldReportCodec.decode(answer.string());
  }

  /** Has the worker abort the call that runs it. Resolves when it has, and after 2 s at the latest. Never rejects. */
  async abort(key: GenerationKey): Promise<void> {
    await this.#request(key, 'cancel', String(key.generation), abortMs);
  }

  /** Tells every worker, without waiting, that the call is not to be run. */
  tellCancelled(key: GenerationKey): void {
    const { connection, attached } = this.#broker;
    if (connection !== undefined && attached) {
      connection.publish(wordSubject(key, 'cancel'), String(key.generation));
    }
  }

  async #request(call: CallIdentity, word: CallWord, payload: string, timeout: number): Promise<Msg | undefined> {
    const { connection, attached } = this.#broker;
    if (connection === undefined || !attached) {
      return undefined;
    }
    try {
      return await connection.request(wordSubject(call, word), payload, { timeout });
    } catch {
      return undefined; // no worker at all, none that holds it, or the broker went away
    }
  }
}
