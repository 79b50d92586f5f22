import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type CallWord, type HeldReport, heldReportCodec, wordCallId, wordSubject } from '../held-call.ts';
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
  report(callId: string): HeldReport | undefined;
  /**
   * The call has been cancelled: its attempt is aborted, and a delivery that is on its way is not run. Returns whether it
   * was in hand.
   */
  cancel(callId: string, generation: number): boolean;
}

/** Has a worker answer for the calls in its hands, for as long as the broker is there. */
export function answerForHeldCalls(broker: Broker, desk: HeldCallDesk): void {
  let subscribed = false;
  broker.onConnect((connection) => {
    if (subscribed) {
      return; // the client renews its subscriptions by itself
    }
    subscribed = true;
    listen(connection, 'running', (message) => {
      const report = desk.report(wordCallId(message.subject));
      if (report !== undefined) {
        message.respond(heldReportCodec.encode(report));
      }
    });
    listen(connection, 'cancel', (message) => {
      if (desk.cancel(wordCallId(message.subject), Number(message.string()))) {
        message.respond();
      }
    });
  });
}

function listen(connection: NatsConnection, word: CallWord, handle: (message: Msg) => void): void {
  connection.subscribe(wordSubject('*', word), { callback: inboxCallback(handle) });
}

/** Tells whoever follows a call that it has moved. Costs one small message that is not stored. */
export class MoveNotices {
  readonly #broker: Pick<Broker, 'connected' | 'connection'>;
  readonly #batch = new TurnBatch<string>((callIds) => this.#send(callIds));

  constructor(broker: Pick<Broker, 'connected' | 'connection'>) {
    this.#broker = broker;
  }

  tell(callId: string): void {
    this.#batch.add(callId);
  }

  #send(callIds: readonly string[]): void {
    const { connection, connected } = this.#broker;
    if (connection === undefined || !connected || connection.isDraining()) {
      return; // nobody depends on it
    }
    for (const callId of callIds) {
      connection.publish(wordSubject(callId, 'moved'));
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
  async ask(callId: string): Promise<HeldReport | undefined> {
    const answer = await this.#request(callId, 'running', '', answerMs);
    return answer && heldReportCodec.decode(answer.string());
  }

  /** Has the worker abort the call that runs it. Resolves when it has, and after 2 s at the latest. Never rejects. */
  async abort(callId: string, generation: number): Promise<void> {
    await this.#request(callId, 'cancel', String(generation), abortMs);
  }

  /** Tells every worker, without waiting, that the call is not to be run. */
  tellCancelled(callId: string, generation: number): void {
    const { connection, attached } = this.#broker;
    if (connection !== undefined && attached) {
      connection.publish(wordSubject(callId, 'cancel'), String(generation));
    }
  }

  async #request(callId: string, word: CallWord, payload: string, timeout: number): Promise<Msg | undefined> {
    const { connection, attached } = this.#broker;
    if (connection === undefined || !attached) {
      return undefined;
    }
    try {
      return await connection.request(wordSubject(callId, word), payload, { timeout });
    } catch {
      return undefined; // no worker at all, none that holds it, or the broker went away
    }
  }
}
