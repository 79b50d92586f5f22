import type { Hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline, Readable } from 'node:stream';
import { type Call, emptyBody, endFingerprint, identityOf, refused, startFingerprint } from '@asyncfn/queue-core';
import type { AcceptResult } from '@asyncfn/queue-core/jetstream';
import type { Logger } from '@asyncfn/service-kit';
import type { Gatekeeper } from '../auth/index.ts';
import {
  type BodyBudget,
  type BodyResult,
  checkDeclaredLength,
  checkExpectation,
  checkForm,
  enqueuePattern,
  expectsContinue,
  IncomingBody,
  linger,
  logRefusal,
} from '../http/index.ts';
import type { GatewayMetrics } from '../metrics.ts';
import { problemHeaders, problemMediaType, problems, type Refusal, renderProblem, toRefusal } from '../problem.ts';
import {
  type AcceptContext,
  type AcceptedCall,
  type CallDraft,
  type CallIntake,
  checkRoom,
  completeCall,
  draftCall,
  toAnswer,
  toQueueRefusal,
} from './accept.ts';
import { type CallSpans, storeCall } from './call-spans.ts';
import { Exchange, logAccepted } from './exchange.ts';
import type { Group, GroupIntake, LargeIntake, PreferredResult, PreferredWaits } from './other-answers.ts';
import { StoringShare } from './storing-share.ts';

export interface EnqueueOptions extends AcceptContext {
  readonly queue: CallIntake;
  readonly gatekeeper: Pick<Gatekeeper, 'identify' | 'refuseScope' | 'refuseExcess'>;
  readonly bodyBudget: BodyBudget;
  /** Whether answers must say `Connection: close`. */
  readonly isClosing: () => boolean;
  readonly startTime: () => string;
  /** Notes each call that is stored. */
  readonly receipts: { readonly note: (call: Call) => void };
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  /** Largest body that is read whole: that of a group, and of a call unless `large` takes it. */
  readonly maxBodyBytes: number;
  /** Takes larger bodies of calls. Default: they are refused. */
  readonly large?: LargeIntake | undefined;
  /** Undefined if tracing is off. */
  readonly spans?: CallSpans | undefined;
  /** Default: a name is always that of a function. */
  readonly groups?: GroupIntake;
  /** Waits for results for callers who prefer that. Default: no caller waits. */
  readonly waits?: PreferredWaits;
}

/**
 * Accepts calls, directly on `node:http`: fastify and its hooks were half of the cost of an enqueue (see ADR 27).
 * Everything except the body is checked before the body is read.
 */
export class EnqueueHandler {
  readonly #options: EnqueueOptions;
  readonly #storing = new StoringShare();

  constructor(options: EnqueueOptions) {
    this.#options = options;
  }

  /** Answers one `POST /async-function/:name`. Never throws. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const exchange = new Exchange(request, response);
    this.#guarded(exchange, () => this.#letIn(exchange));
  }

  #letIn(exchange: Exchange): void {
    const { gatekeeper } = this.#options;
    const { request } = exchange;
    const identified = checkForm(request) ?? gatekeeper.identify(request);
    if (identified.kind === 'refused') {
      this.#refuse(exchange, identified);
      return;
    }
    exchange.caller = identified.caller;
    const refused = gatekeeper.refuseScope(exchange.caller, 'invoke');
    if (refused !== undefined) {
      this.#refuse(exchange, refused);
    } else if (exchange.caller.rate === undefined) {
      this.#admit(exchange);
    } else {
      this.#admitInTurn(exchange);
    }
  }

  #admitInTurn(exchange: Exchange): void {
    this.#options.gatekeeper.refuseExcess(exchange.caller).then(
      (excess) =>
        this.#guarded(exchange, () => (excess === undefined ? this.#admit(exchange) : this.#refuse(exchange, excess))),
      (error) => this.#refuse(exchange, toRefusal(error)),
    );
  }

  /** Checks everything except the body, then admits the body. */
  #admit(exchange: Exchange): void {
    this.#trace(exchange);
    const group = this.#options.groups?.find(exchange.request.url ?? '');
    if (group === undefined) {
      this.#admitCall(exchange);
    } else {
      this.#admitGroup(exchange, group);
    }
  }

  #admitGroup(exchange: Exchange, group: Group): void {
    const { maxBodyBytes } = this.#options;
    const refused = checkDeclaredLength(exchange.request, maxBodyBytes) ?? checkExpectation(exchange.request);
    if (refused !== undefined) {
      this.#refuse(exchange, refused);
      return;
    }
    this.#readBody(exchange, (body, result) => {
      if (result.kind === 'refused') {
        body.release();
        this.#refuse(exchange, result);
        return;
      }
      const { request, caller } = exchange;
      const answered = group.accept(request, caller, result.bytes).finally(() => body.release());
      answered.then(
        (answer) =>
          this.#guarded(exchange, () =>
            answer.kind === 'refused'
              ? this.#refuse(exchange, answer)
              : this.#send(exchange, 202, [...answer.headers], answer.body),
          ),
        (error) => this.#refuse(exchange, toRefusal(error)),
      );
    });
  }

  #admitCall(exchange: Exchange): void {
    const draft = this.#draft(exchange);
    if (draft.kind === 'refused') {
      this.#refuse(exchange, draft);
      return;
    }
    const { large } = this.#options;
    if (large?.isLarge(exchange.request) === true) {
      this.#acceptLarge(exchange, draft, large, []);
      return;
    }
    const onLarger = large && ((first: readonly Buffer[]) => this.#acceptLarge(exchange, draft, large, first));
    this.#readBody(exchange, (body, result) => this.#enqueue(exchange, draft, body, result), onLarger);
  }

  /** @param onLarger takes a body that is found to be large */
  #readBody(
    exchange: Exchange,
    then: (body: IncomingBody, result: BodyResult) => void,
    onLarger?: (first: readonly Buffer[]) => void,
  ): void {
    const { bodyBudget, large } = this.#options;
    const maxBytes = onLarger === undefined || large === undefined ? this.#options.maxBodyBytes : large.inlineBytes;
    const { request, response } = exchange;
    const body = IncomingBody.admit(request, bodyBudget, exchange.caller.name);
    if (body.kind === 'refused') {
      this.#refuse(exchange, body);
      return;
    }
    if (expectsContinue(request)) {
      response.writeContinue();
    }
    const guarded = onLarger && ((first: readonly Buffer[]) => this.#guarded(exchange, () => onLarger(first)));
    body.read(request, maxBytes, (result) => this.#guarded(exchange, () => then(body, result)), guarded);
  }

  /** Has a large body stored while it arrives, and then its call. */
  #acceptLarge(exchange: Exchange, draft: CallDraft, large: LargeIntake, first: readonly Buffer[]): void {
    const { request, response, caller } = exchange;
    const fingerprint = draft.headers.idempotencyKey === undefined ? undefined : startFingerprint(draft.target);
    const accepted = large.accept(request, {
      caller: caller.name,
      first,
      fingerprint,
      onAdmitted() {
        if (first.length === 0 && expectsContinue(request)) {
          response.writeContinue();
        }
      },
      toCall: () => completeCall(draft, this.#options.startTime(), emptyBody),
      store: (call) => this.#storeLarge(exchange, call, draft, fingerprint),
    });
    accepted.then(
      (done) =>
        this.#guarded(exchange, () =>
          done.kind === 'refused'
            ? this.#refuse(exchange, done)
            : this.#answer(exchange, done.call, draft, done.result),
        ),
      (error) => this.#refuse(exchange, toRefusal(error)),
    );
  }

  async #storeLarge(exchange: Exchange, call: Call, draft: CallDraft, fingerprint?: Hash): Promise<AcceptResult> {
    const { name } = exchange.caller;
    if (!this.#storing.begin(name)) {
      return refused('overloaded', 'the caller stores too many calls at once');
    }
    this.#options.metrics.callStarted(call.function);
    try {
      return await this.#store(exchange, call, draft, fingerprint && endFingerprint(fingerprint));
    } finally {
      this.#storing.end(name);
    }
  }

  #draft(exchange: Exchange): CallDraft | Refusal {
    const { maxBodyBytes, large, queue } = this.#options;
    const { request, caller } = exchange;
    const { url = '', rawHeaders, socket } = request;
    const draft = draftCall({ url, rawHeaders, peer: socket.remoteAddress, caller }, this.#options);
    if (draft.kind === 'refused') {
      return draft;
    }
    exchange.function = draft.function;
    return (
      checkDeclaredLength(request, large?.maxBytes ?? maxBodyBytes) ??
      checkRoom(queue, draft.function) ??
      checkExpectation(request) ??
      draft
    );
  }

  #enqueue(exchange: Exchange, draft: CallDraft, body: IncomingBody, result: BodyResult): void {
    if (result.kind === 'refused') {
      body.release();
      this.#refuse(exchange, result);
      return;
    }
    const { name } = exchange.caller;
    if (!this.#storing.begin(name)) {
      body.release();
      this.#refuse(exchange, toQueueRefusal('overloaded'));
      return;
    }
    const call = completeCall(draft, this.#options.startTime(), result.bytes);
    this.#options.metrics.callStarted(call.function);
    // The body stays in the budget even if the client disconnects, because it is still in memory.
    this.#store(exchange, call, draft).then(
      (stored) => {
        this.#storing.end(name);
        body.release();
        this.#guarded(exchange, () => this.#answer(exchange, call, draft, stored));
      },
      (error) => {
        this.#storing.end(name);
        body.release();
        this.#refuse(exchange, toRefusal(error));
      },
    );
  }

  #store(
    { span }: Exchange,
    call: Call,
    { clientChoseId, derivedId, headers }: CallDraft,
    fingerprint?: string,
  ): Promise<AcceptResult> {
    const how = { unique: clientChoseId || derivedId, key: headers.idempotencyKey, derived: derivedId, fingerprint };
    return storeCall(this.#options, span, call, how);
  }

  #answer(exchange: Exchange, call: Call, draft: CallDraft, result: AcceptResult): void {
    const { metrics, receipts, logger, now } = this.#options;
    const answer = toAnswer(call, result, now());
    if (answer.kind === 'refused') {
      this.#refuse(exchange, answer);
      return;
    }
    if (answer.replayed) {
      metrics.callReplayed();
    } else {
      metrics.callSubmitted(call.queue);
      receipts.note(call);
    }
    logAccepted(logger, call, answer, exchange);
    const { prefer } = exchange.request.headers;
    if (prefer === undefined || draft.derivedId) {
      this.#confirm(exchange, call, answer, none);
    } else {
      this.#answerInTime(exchange, call, answer, [prefer].flat().join(', '));
    }
  }

  /** The result if there is one in time, otherwise what every caller gets. A worker that calls back never waits. */
  #answerInTime(exchange: Exchange, call: Call, answer: AcceptedCall, prefer: string): void {
    const { request, response, caller } = exchange;
    const identity = identityOf({ ...call, id: answer.callId, startTime: answer.startTime });
    const waiting = this.#options.waits?.begin({ prefer, call: identity, caller, request, response });
    if (waiting === undefined) {
      this.#confirm(exchange, call, answer, none);
      return;
    }
    void waiting.then((result) =>
      this.#guarded(exchange, () =>
        result === undefined
          ? this.#confirm(exchange, call, answer, applied)
          : this.#sendResult(exchange, answer, result),
      ),
    );
  }

  /** Says that the call is accepted. */
  #confirm(exchange: Exchange, call: Call, answer: AcceptedCall, preference: readonly string[]): void {
    const { callId, startTime, status, replayed } = answer;
    const body = JSON.stringify({ callId, function: call.function, status });
    const headers = ['Content-Type', 'application/json; charset=utf-8', 'X-Call-Id', callId, 'X-Start-Time', startTime];
    headers.push('Location', `/async-function/${callId}`, ...preference);
    if (replayed) {
      headers.push('Idempotency-Replayed', 'true');
    }
    this.#send(exchange, 202, headers, body);
  }

  #sendResult(exchange: Exchange, { replayed }: AcceptedCall, { headers, body, length }: PreferredResult): void {
    const all = [...headers, ...applied, ...(replayed ? ['Idempotency-Replayed', 'true'] : none)];
    this.#send(exchange, 200, all, body, length);
  }

  /** Responds with a problem, and logs and counts it. */
  #refuse(exchange: Exchange, refused: Refusal): void {
    const { logger, metrics } = this.#options;
    const { request, caller, traceId, elapsedMs } = exchange;
    logRefusal(logger, refused, { function: exchange.function?.name, token: caller.name, traceId, elapsedMs });
    metrics.callRefused(refused.code);
    linger(request);
    const headers = ['Content-Type', problemMediaType, ...Object.entries(problemHeaders(refused)).flat()];
    this.#send(exchange, problems[refused.code].status, headers, renderProblem(refused));
  }

  /**
   * @param headers names and values in turn
   * @param body in pieces for a client that may be slow
   * @param length of the body in bytes. Default: that of a text
   */
  #send(
    exchange: Exchange,
    status: number,
    headers: string[],
    body: string | Buffer | Readable,
    length = typeof body === 'string' ? Buffer.byteLength(body) : 0,
  ): void {
    const { metrics, spans, isClosing } = this.#options;
    const { response, span } = exchange;
    headers.push('Content-Length', String(length));
    if (isClosing()) {
      headers.push('Connection', 'close');
    }
    const isHeard = !response.destroyed;
    response.writeHead(status, headers);
    if (body instanceof Readable) {
      // A client that leaves ends it, which is no error.
      pipeline(body, response, () => undefined);
    } else {
      response.end(body);
    }
    metrics.requestEnded('POST', enqueuePattern, status, exchange.elapsedMs / 1000);
    if (span !== undefined) {
      spans?.endAccept(span, isHeard ? status : undefined);
    }
  }

  /** Refused callers are not traced: strangers could flood the collector. */
  #trace(exchange: Exchange): void {
    const { spans } = this.#options;
    if (spans !== undefined) {
      const { traceparent } = exchange.request.headers;
      const joined = [traceparent].flat().join(',') || undefined;
      exchange.span = spans.startAccept({ route: enqueuePattern, traceparent: joined });
    }
  }

  #guarded(exchange: Exchange, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#refuse(exchange, toRefusal(error));
    }
  }
}

const none: readonly string[] = [];
/** RFC 7240, 3 */
const applied: readonly string[] = ['Preference-Applied', 'wait'];
