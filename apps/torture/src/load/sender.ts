import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Seat } from '@asyncfn/stack';
import { pickFrom, type Random } from '@asyncfn/testkit';
import { Agent, request } from 'undici';
import type { Recorder } from '../history/history.ts';
import { requestHeader, stepsHeader } from './callee.ts';
import { formatSteps, type Plan, randomPlan } from './plan.ts';

export interface SenderOptions {
  readonly history: Recorder;
  readonly gateways: readonly Seat[];
  readonly functions: readonly string[];
  readonly inboxUrl: string;
  readonly random: Random;
  /** Calls a second, as long as there are clients free for them. */
  readonly rate: number;
  /** Requests that may wait for an answer at once. */
  readonly clients: number;
}

/** A client gives up after this; a gateway has to answer within 5 s (P1). */
const answerMs = 15_000;
const tickMs = 20;

/** Sends calls at a steady rate to whichever gateways there are, and records what becomes of each. */
export class Sender implements AsyncDisposable {
  readonly #options: SenderOptions;
  readonly #agent: Agent;
  readonly #open = new Set<Promise<void>>();
  #sent = 0;
  #accepted = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#agent = new Agent({ connections: options.clients, connect: { timeout: answerMs } });
  }

  get sent(): number {
    return this.#sent;
  }

  /** Of those that were sent, answered 202 so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Sends until the signal aborts, and waits for the answers. */
  async run(signal: AbortSignal): Promise<void> {
    const { rate, clients } = this.#options;
    let owed = 0;
    let before = performance.now();
    while (!signal.aborted) {
      await delay(tickMs);
      const now = performance.now();
      // What could not be sent in time is not made up for: the load stays bounded.
      owed = Math.min(owed + ((now - before) / 1_000) * rate, rate / 5 + 1);
      before = now;
      for (; owed >= 1 && this.#open.size < clients; owed -= 1) {
        this.#start();
      }
    }
    await Promise.all(this.#open);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.destroy();
  }

  #start(): void {
    const { random, functions, gateways } = this.#options;
    this.#sent += 1;
    const exchange = this.#exchange(this.#sent, randomPlan(random, functions), pickFrom(random, gateways)).finally(() =>
      this.#open.delete(exchange),
    );
    this.#open.add(exchange);
  }

  async #exchange(number: number, plan: Plan, seat: Seat): Promise<void> {
    const { history } = this.#options;
    const callId = plan.ownId ? `t-${number}-${randomUUID().slice(0, 8)}` : undefined;
    history.record({ kind: 'sent', request: number, gateway: seat.name, plan, callId });
    const known = plan.isRepeated
      ? (await Promise.all([this.#send(number, plan, callId, seat), this.#sendAgain(number, plan, callId)])).find(
          Boolean,
        )
      : await this.#send(number, plan, callId, seat);
    this.#accepted += known === undefined ? 0 : 1;
    if (known !== undefined && plan.cancelAfterMs !== undefined) {
      await delay(plan.cancelAfterMs);
      await this.#cancel(number, known);
    }
  }

  /** The id of the call, if it was accepted. */
  async #send(number: number, plan: Plan, callId: string | undefined, seat: Seat): Promise<string | undefined> {
    const { history, inboxUrl } = this.#options;
    try {
      const response = await request(`${seat.process.url}/async-function/${plan.function}`, {
        method: 'POST',
        dispatcher: this.#agent,
        headersTimeout: answerMs,
        bodyTimeout: answerMs,
        headers: {
          [requestHeader]: String(number),
          [stepsHeader]: formatSteps(plan.steps),
          'x-max-retries': String(plan.maxRetries),
          ...(callId !== undefined && { 'x-call-id': callId }),
          ...(plan.isRepeated && { 'idempotency-key': `request-${number}` }),
          ...(plan.notBeforeMs > 0 && { 'x-delay': `${plan.notBeforeMs}ms` }),
          ...(plan.expiresInMs > 0 && { 'x-expires-in': `${plan.expiresInMs}ms` }),
          ...(plan.callback !== 'none' && { 'x-callback-url': `${inboxUrl}/${plan.callback}/${number}` }),
        },
        body: Buffer.alloc(plan.bodyBytes, number % 251),
      });
      return this.#record(number, response.statusCode, await response.body.text());
    } catch (error) {
      history.record({ kind: 'broken', request: number, error: codeOf(error) });
      return undefined;
    }
  }

  /** As a caller does who does not wait for long. */
  async #sendAgain(number: number, plan: Plan, callId: string | undefined): Promise<string | undefined> {
    const { random, gateways } = this.#options;
    const seat = pickFrom(random, gateways);
    await delay(random() < 0.5 ? 0 : 300);
    return this.#send(number, plan, callId, seat);
  }

  async #cancel(number: number, callId: string): Promise<void> {
    const { history, random, gateways } = this.#options;
    history.record({ kind: 'cancelling', request: number });
    try {
      const { statusCode, body } = await request(`${pickFrom(random, gateways).process.url}/async-function/${callId}`, {
        method: 'DELETE',
        dispatcher: this.#agent,
        headersTimeout: answerMs,
        bodyTimeout: answerMs,
      });
      await body.dump();
      history.record({ kind: 'cancelled', request: number, status: statusCode });
    } catch {
      // It may have been cancelled, or not: nobody was told.
    }
  }

  #record(request: number, status: number, text: string): string | undefined {
    const { callId, code } = JSON.parse(text) as { callId?: string; code?: string };
    this.#options.history.record({ kind: 'answered', request, status, code, callId });
    return status === 202 ? callId : undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as { code?: string }).code ?? String(error);
}
