import { setTimeout as delay } from 'node:timers/promises';
import type { Seat } from '@asyncfn/stack';
import { pickFrom, type Random } from '@asyncfn/testkit';
import { Agent, type Dispatcher, request } from 'undici';
import { formatControl } from '../flows.ts';
import type { Look, Recorder } from '../history/index.ts';
import { formatChain, formatSteps, type Plan, type Tenant } from '../plan.ts';
import type { Access } from '../rig/index.ts';
import { bodyOf } from './body.ts';
import { requestHeader, stepsHeader } from './callee.ts';
import type { Receivers } from './receivers.ts';
import { readResult } from './result.ts';

export interface ClientOptions {
  readonly history: Recorder;
  readonly gateways: readonly Seat[];
  readonly access: Access;
  readonly receivers: Receivers;
  readonly random: Random;
  /** How many requests may wait for an answer at once. */
  readonly clients: number;
}

/** A call as the client sends it. */
export interface Sent {
  readonly number: number;
  readonly plan: Plan;
  /** The id that its sender has chosen. */
  readonly callId?: string | undefined;
}

/** The answer to a batch, or its problem. */
interface BatchAnswer {
  readonly batchId?: string;
  readonly code?: string;
  readonly calls?: readonly {
    readonly callId?: string;
    readonly problem?: { readonly status: number; readonly code: string };
  }[];
}

/** A client gives up after this time; a gateway must answer within 5 s (P1). */
const answerMs = 15_000;

/** The requests of tenants to gateways. Each request and its answer is recorded. */
export class Client implements AsyncDisposable {
  readonly #options: ClientOptions;
  readonly #agent: Agent;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.#agent = new Agent({ connections: options.clients, connect: { timeout: answerMs } });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  /** The id of the call, if it was accepted. */
  async send({ number, plan, callId }: Sent, seat: Seat): Promise<string | undefined> {
    const { history } = this.#options;
    try {
      const response = await this.#ask('POST', plan.tenant, `/async-function/${plan.function}`, seat, {
        headers: this.#headersOf({ number, plan, callId }),
        body: bodyOf(number, plan),
      });
      return this.#record(number, response, await response.body.text());
    } catch (error) {
      history.record({ kind: 'broken', request: number, error: codeOf(error) });
      return undefined;
    }
  }

  #headersOf({ number, plan, callId }: Sent): Record<string, string> {
    const { receivers } = this.#options;
    const isChain = (plan.chain ?? 0) > 0;
    const callbackUrl = isChain ? receivers.chainUrlOf(number, plan) : receivers.urlOf(number, plan);
    const control = plan.flow && formatControl(plan.flow);
    return {
      [requestHeader]: String(number),
      [stepsHeader]: formatSteps(plan.steps),
      'x-max-retries': String(plan.maxRetries),
      ...(callId !== undefined && { 'x-call-id': callId }),
      ...(plan.isRepeated && { 'idempotency-key': `request-${number}` }),
      ...(plan.notBeforeMs > 0 && { 'x-delay': `${plan.notBeforeMs}ms` }),
      ...(plan.expiresInMs > 0 && { 'x-expires-in': `${plan.expiresInMs}ms` }),
      ...(plan.flow && { 'x-flow-key': plan.flow.key }),
      ...(control !== undefined && { 'x-flow-control': control }),
      ...(isChain && { 'x-then': formatChain(number, plan) }),
      ...(callbackUrl !== undefined && { 'x-callback-url': callbackUrl }),
    };
  }

  /**
   * Sends the calls of one tenant as one batch.
   * @returns the id of each call that was accepted
   */
  async sendBatch(batch: number, calls: readonly Sent[], seat: Seat): Promise<(string | undefined)[]> {
    const { history, receivers } = this.#options;
    const tenant = calls[0]?.plan.tenant ?? 'north';
    const lines = calls.map((sent) =>
      JSON.stringify({
        function: sent.plan.function,
        headers: this.#headersOf(sent),
        bodyBase64: bodyOf(sent.number, sent.plan).toString('base64'),
      }),
    );
    try {
      const response = await this.#ask('POST', tenant, '/async-batch', seat, {
        headers: { 'content-type': 'application/x-ndjson', 'x-callback-url': receivers.batchUrlOf(batch, tenant) },
        body: Buffer.from(lines.join('\n')),
      });
      const answer = JSON.parse(await response.body.text()) as BatchAnswer;
      return this.#recordBatch(batch, calls, answer, response.statusCode);
    } catch (error) {
      for (const { number } of calls) {
        history.record({ kind: 'broken', request: number, error: codeOf(error) });
      }
      return [];
    }
  }

  #recordBatch(batch: number, calls: readonly Sent[], answer: BatchAnswer, status: number): (string | undefined)[] {
    const { history } = this.#options;
    const ids = calls.map(({ number: request }, index) => {
      const { callId, problem } = answer.calls?.[index] ?? {};
      // If the batch was refused as a whole, each item gets its answer.
      const { status: refused, code } = problem ?? { status, code: answer.code };
      history.record({ kind: 'answered', request, status: callId === undefined ? refused : 202, code, callId });
      return callId;
    });
    if (answer.batchId !== undefined) {
      const requests = calls.flatMap(({ number }, index) => (ids[index] === undefined ? [] : [number]));
      history.record({ kind: 'batched', batch, batchId: answer.batchId, requests });
    }
    return ids;
  }

  /** Sends it like a caller that does not wait for long. */
  async sendAgain(sent: Sent): Promise<string | undefined> {
    const { random, gateways } = this.#options;
    const seat = pickFrom(random, gateways);
    await delay(random() < 0.5 ? 0 : 300);
    return this.send(sent, seat);
  }

  async cancel({ number, plan }: Sent, callId: string): Promise<void> {
    const { history } = this.#options;
    history.record({ kind: 'cancelling', request: number });
    try {
      const { statusCode, body } = await this.#ask('DELETE', plan.tenant, `/async-function/${callId}`);
      await body.dump();
      history.record({ kind: 'cancelled', request: number, status: statusCode });
    } catch {
      // It may have been cancelled or not: no answer came.
    }
  }

  /** A tenant requests a call, possibly one of another tenant. */
  async look({ number }: Sent, callId: string, by: Tenant, what: Look): Promise<void> {
    const path = `/async-function/${callId}`;
    try {
      if (what === 'result') {
        await (await this.#ask('GET', by, `${path}?wait=3s`)).body.dump();
      }
      const { statusCode: status, body } = await this.#ask(
        what === 'cancel' ? 'DELETE' : 'GET',
        by,
        what === 'result' ? `${path}/result` : path,
      );
      const text = await body.text();
      const about = what === 'result' && status === 200 ? readResult(text) : undefined;
      this.#options.history.record({ kind: 'looked', request: number, by, what, status, about });
    } catch {
      // No answer came.
    }
  }

  async #ask(
    method: 'GET' | 'POST' | 'DELETE',
    tenant: Tenant,
    path: string,
    seat = pickFrom(this.#options.random, this.#options.gateways),
    { headers, body }: { readonly headers?: Record<string, string>; readonly body?: Buffer } = {},
  ): Promise<Dispatcher.ResponseData> {
    return await request(`${seat.process.url}${path}`, {
      method,
      dispatcher: this.#agent,
      headersTimeout: answerMs,
      bodyTimeout: answerMs,
      headers: { ...headers, authorization: this.#options.access.authorizationOf(tenant) },
      ...(body !== undefined && { body }),
    });
  }

  #record(request: number, { statusCode: status, headers }: Dispatcher.ResponseData, text: string): string | undefined {
    const { callId, code } = JSON.parse(text) as { callId?: string; code?: string };
    const startTime = status === 202 ? String(headers['x-start-time']) : undefined;
    this.#options.history.record({ kind: 'answered', request, status, code, callId, startTime });
    return status === 202 ? callId : undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
