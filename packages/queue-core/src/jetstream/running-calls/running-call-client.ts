import type { Msg, NatsConnection } from '@nats-io/transport-node';
import { type GenerationKey, identityTokens, parseIdentity } from '../../call/index.ts';
import { type RunningReport, runningReportCodec, signalSubject } from '../../records/index.ts';
import type { Broker } from '../connecting/index.ts';
import { inboxCallback } from '../messages/index.ts';
import { concerns, LeaseTracker, type Silence, type StoredAttempt } from './lease-tracker.ts';

/**
 * How long a worker may take to say that it runs a call, in milliseconds. It answers in one, unless it is busy; a dead
 * worker never answers, and clients do not wait for it. A later answer counts for the next question.
 */
const answerMs = 300;
/** How long a worker that runs the call may take to abort an attempt. */
const abortMs = 2_000;
const noResponders = 503;

/** The answers of workers about an attempt that was delivered. */
export type RunningCallAnswer =
  /** One of them runs it. */
  | { readonly kind: 'running'; readonly report: RunningReport }
  /** One ran it until a moment ago and has stored the result; or the call is in its next replay generation. */
  | { readonly kind: 'left' }
  /** None has answered: its worker is slow or dead, or no worker has it. */
  | ({ readonly kind: 'silent' } & Silence);

export interface AskOptions {
  /** How long workers may take, in milliseconds. Default: 300 */
  readonly patienceMs?: number;
  /** Whether an answer from a worker that no longer runs the attempt counts. Default: yes */
  readonly orLeft?: boolean;
}

interface Question {
  readonly attempt: StoredAttempt;
  readonly orLeft: boolean;
  readonly resolve: (answer: RunningReport | undefined) => void;
}

/**
 * Asks and tells the worker that runs a call. Also used while the broker is suspected to be away: a message that no
 * worker receives costs a time limit, but one that is not sent lets a cancelled call run.
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

  /** Asks the workers about an attempt that was delivered. Never rejects. */
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
   * Has the worker that runs the call abort it. Resolves when it has, and after `limitMs` at the latest. Never rejects.
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
      // No worker, none that runs the call, or the broker went away.
    }
  }

  /** Tells every worker not to run the call. Does not wait for an answer. */
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
   * The subject names the call, so that a late answer can be attributed. Each question has its own: a worker may be
   * allowed a single message to a reply subject (`allow_responses`).
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
