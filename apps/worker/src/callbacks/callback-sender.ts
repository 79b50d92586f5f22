import type { BodyObject, CallbackTask, HeaderList } from '@asyncfn/queue-core';
import { type CallbackPolicy, readCallbackUrl } from '@asyncfn/queue-core/callback-guard';
import { BodyError, type BodyStore } from '@asyncfn/queue-core/jetstream';
import { CallbackSigner, noCallFacts, type SignedCallback, signCallback } from '@asyncfn/queue-core/webhook';
import { displayUrl, type Logger } from '@asyncfn/service-kit';
import type { Tracer } from '@opentelemetry/api';
import { exchange, type HttpAgent, type HttpOutcome, type StreamedBody } from '../http/index.ts';
import type { WorkerMetrics } from '../metrics.ts';
import { CallbackRefusedError } from './callback-refused.ts';
import { toCallbackRequest } from './callback-request.ts';
import { CallbackTrace } from './callback-trace.ts';
import type { SentCallback } from './sent-callback.ts';
import { type CallbackAnswer, settleCallback } from './settle-callback.ts';
import type { CallbackKeys } from './signing/index.ts';

export interface CallbackSenderOptions {
  /** Connects only to addresses where a callback may go, as `createCheckedConnector` does. */
  readonly agent: HttpAgent;
  readonly policy: Pick<CallbackPolicy, 'objectTo'>;
  /** Reads the bodies that are stored apart. */
  readonly bodies: Pick<BodyStore, 'read'>;
  readonly metrics: WorkerMetrics;
  readonly logger: Logger;
  /** Undefined if tracing is off. */
  readonly tracer?: Tracer | undefined;
  readonly userAgent: string;
  /** Deadline of one delivery in milliseconds. A body that is stored apart has a second more for each MiB. */
  readonly timeoutMs: number;
  /** Waits before the second, third, ... delivery, in milliseconds. */
  readonly scheduleMs: readonly number[];
  readonly keys: Pick<CallbackKeys, 'of'>;
  /** Unix time in milliseconds, by the broker's clock. */
  readonly now: () => number;
  /** Unix time in milliseconds by our own clock: receivers compare it with theirs. Default `Date.now`. */
  readonly localNow?: () => number;
  readonly random: () => number;
}

const notUrl = 'its target is not a URL';
const mebibyte = 1024 * 1024;

interface ReportedFacts {
  readonly outcome: HttpOutcome;
  readonly durationMs: number;
  readonly traceId: string | undefined;
}

/** POSTs a result to its receiver, once, and returns what follows. */
export class CallbackSender {
  readonly #options: CallbackSenderOptions;

  constructor(options: CallbackSenderOptions) {
    this.#options = options;
  }

  /** Undefined when `signal` has cut the delivery short. Never rejects. */
  async send(task: CallbackTask, body: Uint8Array, signal: AbortSignal): Promise<SentCallback | undefined> {
    const { scheduleMs, now, random, tracer } = this.#options;
    const startedAt = performance.now();
    const trace = tracer && new CallbackTrace(tracer, task);
    const outcome = this.#refuse(task) ?? (await this.#exchange(trace?.request ?? task, body, signal));
    const answer = toAnswer(outcome);
    if (answer === undefined) {
      trace?.cutShort();
      return undefined;
    }
    const verdict = settleCallback(answer, task.tries + 1, scheduleMs, now(), random);
    const status = answer.kind === 'answered' ? answer.status : undefined;
    const answered = answer.kind === 'answered' || answer.kind === 'bad_response';
    const sent: SentCallback = { verdict, status, answered };
    trace?.sent(sent, answer.kind);
    const { traceId } = trace ?? {};
    this.#report(task, body, { ...sent, outcome, durationMs: performance.now() - startedAt, traceId });
    return sent;
  }

  /** The policy may have changed since the call was accepted, and a stored task may come from elsewhere. */
  #refuse({ url }: CallbackTask): HttpOutcome | undefined {
    const read = readCallbackUrl(url);
    const reason = read === undefined ? notUrl : (this.#options.policy.objectTo(read.parsed)?.detail ?? read.ambiguity);
    if (reason === undefined) {
      return undefined;
    }
    const error = new CallbackRefusedError(reason);
    return { kind: 'unreachable', code: error.code, error };
  }

  #exchange(task: CallbackTask, body: Uint8Array, signal: AbortSignal): Promise<HttpOutcome> {
    const { agent, userAgent, timeoutMs } = this.#options;
    if (task.bodyObject !== undefined) {
      return this.#exchangeLarge(task, task.bodyObject, signal);
    }
    const signing = this.#signing(task);
    const signature =
      signing === undefined ? [] : Object.entries(signCallback(signing.secrets, { ...signing.callback, body }));
    return exchange(agent, toCallbackRequest(task, body, { userAgent, timeoutMs, signature, signal }));
  }

  /** Streams the body, with the same bytes and `Content-Length` each time; before that, another pass over it signs them. */
  async #exchangeLarge(task: CallbackTask, object: BodyObject, signal: AbortSignal): Promise<HttpOutcome> {
    const { agent, userAgent, bodies } = this.#options;
    const timeoutMs = this.#options.timeoutMs + Math.ceil(object.length / mebibyte) * 1_000;
    const body: StreamedBody = { length: object.length, open: () => bodies.read(object, task.submitter) };
    const signature = await this.#signLarge(task, body, signal);
    if ('kind' in signature) {
      return signature;
    }
    return exchange(agent, toCallbackRequest(task, body, { userAgent, timeoutMs, signature, signal }));
  }

  async #signLarge(task: CallbackTask, body: StreamedBody, signal: AbortSignal): Promise<HeaderList | HttpOutcome> {
    const signing = this.#signing(task);
    if (signing === undefined) {
      return [];
    }
    const signer = new CallbackSigner(signing.secrets, signing.callback);
    try {
      for await (const piece of body.open()) {
        if (signal.aborted) {
          return { kind: 'abandoned' };
        }
        signer.update(piece);
      }
    } catch (error) {
      if (!(error instanceof BodyError)) {
        throw error;
      }
      return { kind: 'body_failed', code: error.code, error };
    }
    return Object.entries(signer.headers());
  }

  /** The id is the same for all deliveries, the time is that of this one (Standard Webhooks). Undefined: not signed. */
  #signing(task: CallbackTask): { secrets: readonly Uint8Array[]; callback: Omit<SignedCallback, 'body'> } | undefined {
    const { keys, localNow = Date.now } = this.#options;
    const secrets = keys.of(task);
    if (secrets.length === 0) {
      return undefined;
    }
    const { callId, function: functionName, functionStatus, batchId } = task;
    const facts =
      batchId === undefined
        ? { callId, functionName, functionStatus: String(functionStatus) }
        : { ...noCallFacts, id: batchId };
    return { secrets, callback: { ...facts, timestampSeconds: Math.floor(localNow() / 1000) } };
  }

  #report(task: CallbackTask, body: Uint8Array, sent: SentCallback & ReportedFacts): void {
    const { verdict, status, outcome, durationMs, traceId } = sent;
    const fields = {
      callId: task.callId,
      traceId,
      function: task.function,
      queue: task.queue,
      attempt: task.tries + 1,
      status,
      durationMs: Math.round(durationMs),
      bytes: task.bodyObject?.length ?? body.length,
      url: displayUrl(task.url),
      resent: outcome.resent,
    };
    this.#options.metrics.callback(verdict.kind);
    if (verdict.kind === 'delivered') {
      this.#options.logger.info(fields, 'callback delivered');
      return;
    }
    const retryInMs = verdict.kind === 'retry' ? verdict.delayMs : undefined;
    const err = 'error' in outcome ? outcome.error : undefined;
    const reason = isRefused(outcome) ? 'refused' : outcome.kind;
    this.#options.logger.warn({ ...fields, reason, retryInMs, err }, 'callback not delivered');
  }
}

function toAnswer(outcome: HttpOutcome): CallbackAnswer | undefined {
  switch (outcome.kind) {
    case 'answer':
      return { kind: 'answered', status: outcome.status, headers: outcome.headers };
    case 'body_failed':
      // While the broker is away, it counts as not tried.
      return outcome.code === 'body_unreadable' ? undefined : { kind: 'unreachable' };
    case 'unreachable':
    case 'not_stored':
      return { kind: isRefused(outcome) ? 'refused' : 'unreachable' };
    case 'bad_response':
    case 'too_large':
      return { kind: 'bad_response' };
    case 'deadline':
      return { kind: 'deadline' };
    case 'abandoned':
      return undefined;
  }
}

function isRefused(outcome: HttpOutcome): boolean {
  return outcome.kind === 'unreachable' && outcome.error instanceof CallbackRefusedError;
}
