import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type GenerationKey, identityTokens, parseIdentity } from '../../call/index.ts';
import { type RunningReport, runningReportCodec, signalSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';
import { concerns, LeaseTracker, type Silence, type StoredAttempt } from './lease-tracker.ts';

/**
 * How long a worker may take to say that it holds a call, in milliseconds. It answers in one, unless it is busy; a dead
 * one never does, and a client does not wait for it. An answer that comes later counts for those who ask after it.
 */
const answerMs = 300;
/** How long a worker that has said so may take to abort an attempt. */
const abortMs = 2_000;
const noResponders = 503;

/** What workers say of an attempt that was handed out. */
export type RunningCallAnswer =
  /** One of them runs it. */
  | { readonly kind: 'running'; readonly report: RunningReport }
  /** One had it until a moment ago, and how that went is stored; or it is in its next life. */
  | { readonly kind: 'left' }
  /** None has answered: it has a slow worker, a dead one, or none. */
  | ({ readonly kind: 'silent' } & Silence);

export interface AskOptions {
  /** How long workers may take, in milliseconds. Default: 300 */
  readonly patienceMs?: number;
  /** Whether a worker that has had the attempt is an answer. Default: yes */
  readonly orLeft?: boolean;
}

interface Question {
  readonly attempt: StoredAttempt;
  readonly orLeft: boolean;
  readonly resolve: (answer: RunningReport | undefined) => void;
}

/**
 * A gateway's line to the worker that holds a call. It is used also while the broker is suspected to be away: a message that
 * no worker gets costs a time limit, and one that is not sent lets a call run that was cancelled.
 */
export class RunningCallClient {
  readonly #broker: Pick<Broker, 'attached' | 'connection' | 'onConnect' | 'createInbox'>;
  readonly #leases: LeaseTracker;
  readonly #open = new Map<string, Set<Question>>();
  #inbox = '';
  #asked = 0;
  #listeningOn: NatsConnection | undefined;

  /** @param now monotonic clock in milliseconds */
  constructor(broker: Pick<Broker, 'attached' | 'connection' | 'onConnect' | 'createInbox'>, now?: () => number) {
    this.#broker = broker;
    this.#leases = new LeaseTracker(now);
    broker.onConnect(() => this.#leases.connectionLost());
  }

  /** What the workers say of an attempt that was handed out. Never rejects. */
  async ask(
    attempt: StoredAttempt,
    { patienceMs = answerMs, orLeft = true }: AskOptions = {},
  ): Promise<RunningCallAnswer> {
    const { connection, attached } = this.#broker;
    if (connection === undefined || !attached) {
      return { kind: 'silent', last: undefined, forMs: 0 };
    }
    this.#leases.asked(attempt);
    const report = await this.#question(connection, attempt, { patienceMs, orLeft });
    if (report === undefined) {
      return { kind: 'silent', ...this.#leases.unanswered(attempt) };
    }
    const isRunning = report.standing === 'running' && report.generation === attempt.generation;
    return isRunning ? { kind: 'running', report } : { kind: 'left' };
  }

  /**
   * Has the worker abort the call that runs it. Resolves when it has, and after `limitMs` at the latest. Never rejects.
   * @param limitMs default: 2 s
   */
  async abort(key: GenerationKey, limitMs: number = abortMs): Promise<void> {
    const { connection, attached } = this.#broker;
    if (connection === undefined || !attached) {
      return;
    }
    try {
      await connection.request(signalSubject(key, 'cancel'), String(key.generation), { timeout: limitMs });
    } catch {
      // No worker at all, none that holds it, or the broker went away.
    }
  }

  /** Tells every worker, without waiting, that the call is not to be run. */
  broadcastCancel(key: GenerationKey): void {
    const { connection, attached } = this.#broker;
    if (connection !== undefined && attached) {
      connection.publish(signalSubject(key, 'cancel'), String(key.generation));
    }
  }

  async #question(
    connection: NatsConnection,
    attempt: StoredAttempt,
    { patienceMs, orLeft }: Required<AskOptions>,
  ): Promise<RunningReport | undefined> {
    const tokens = identityTokens(attempt.call);
    this.#listen(connection);
    const questions = this.#open.get(tokens) ?? new Set();
    this.#open.set(tokens, questions);
    let question: Question | undefined;
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise((resolve) => {
        question = { attempt, orLeft, resolve };
        questions.add(question);
        timer = setTimeout(resolve, patienceMs, undefined);
        connection.publish(signalSubject(attempt.call, 'running'), '', { reply: this.#replyTo(tokens) });
      });
    } catch {
      return undefined; // the connection is closed
    } finally {
      clearTimeout(timer);
      if (question !== undefined) {
        questions.delete(question);
      }
      if (questions.size === 0) {
        this.#open.delete(tokens);
      }
    }
  }

  /**
   * The call is in it, so that an answer that comes late is known for what it is. Another one for each question: a worker may
   * be allowed a single message to the subject of a reply (`allow_responses`).
   */
  #replyTo(tokens: string): string {
    this.#asked += 1;
    return `${this.#inbox}.${this.#asked.toString(36)}.${tokens}`;
  }

  #listen(connection: NatsConnection): void {
    if (this.#listeningOn === connection) {
      return; // the client renews its subscriptions by itself
    }
    this.#listeningOn = connection;
    this.#inbox = this.#broker.createInbox();
    const callback = inboxCallback((message) => this.#receive(message));
    connection.subscribe(`${this.#inbox}.*.*.*.*`, { callback });
  }

  #receive(message: Msg): void {
    const [, ...tokens] = message.subject.slice(this.#inbox.length + 1).split('.');
    const call = parseIdentity(...tokens);
    const hasNoWorker = message.headers?.code === noResponders;
    const report = hasNoWorker ? undefined : runningReportCodec.decode(message.string());
    if (report !== undefined && call !== undefined) {
      this.#leases.heard(call, report);
    }
    for (const { attempt, orLeft, resolve } of this.#open.get(tokens.join('.')) ?? []) {
      const isAnswer = report !== undefined && concerns(report, attempt) && (orLeft || report.standing === 'running');
      if (hasNoWorker || isAnswer) {
        resolve(report);
      }
    }
  }
}
