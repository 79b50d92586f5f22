import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { integerBelow, pickFrom } from '@asyncfn/testkit';
import { randomFlow } from '../flows.ts';
import { type Plan, randomPlan, randomTwins, tenants } from '../plan.ts';
import { Client, type ClientOptions, type Sent } from './client.ts';

export interface SenderOptions extends ClientOptions {
  /** Calls a second, as long as clients are free to send them. */
  readonly rate: number;
  /** Whether one of the tenants has receivers that hang. */
  readonly hostile: boolean;
  /** Share of the sends that are several calls of one flow key, and of the other calls that have one. Default 0.04. */
  readonly flowShare?: number;
  /** An id that a tenant has chosen may be sent again after this time, in milliseconds. Default: never. */
  readonly idsAgainMs?: number;
}

const tickMs = 20;
/** Share of the calls that have a twin, and of those that reuse an id. */
const twinShare = 0.03;
const againShare = 0.03;
/** Share of all sends that are a batch. */
const batchShare = 0.01;
const maxBatch = 20;
const usualFlowShare = 0.04;
const maxSeries = 5;

/** An id that a tenant has chosen, of a call that was accepted. */
interface UsedId {
  readonly callId: string;
  readonly tenant: Plan['tenant'];
  /** On the monotonic clock. */
  readonly at: number;
}

/** Sends calls at a steady rate to all gateways, and records the answer to each. */
export class Sender implements AsyncDisposable {
  readonly #options: SenderOptions;
  readonly #client: Client;
  readonly #exchanges = new Set<Promise<void>>();
  /** The oldest first. */
  readonly #used: UsedId[] = [];
  #sent = 0;
  #accepted = 0;
  #batches = 0;

  constructor(options: SenderOptions) {
    this.#options = options;
    this.#client = new Client(options);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Calls that were answered 202 so far. */
  get accepted(): number {
    return this.#accepted;
  }

  /** Sends until the signal aborts, then waits for the answers. */
  async run(signal: AbortSignal): Promise<void> {
    const { rate, clients } = this.#options;
    let owed = 0;
    let before = performance.now();
    while (!signal.aborted) {
      await delay(tickMs);
      const now = performance.now();
      // Calls that could not be sent in time are skipped, so that the load stays bounded.
      owed = Math.min(owed + ((now - before) / 1_000) * rate, rate / 5 + 1);
      before = now;
      for (; owed >= 1 && this.#exchanges.size < clients; owed -= 1) {
        this.#start();
      }
    }
    while (this.#exchanges.size > 0) {
      await Promise.all(this.#exchanges);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#client[Symbol.asyncDispose]();
  }

  #start(): void {
    const { random, hostile } = this.#options;
    const used = random() < againShare ? this.#takeUsed() : undefined;
    if (used !== undefined) {
      this.#sent += 1;
      const plan = this.#maybeKeyed(randomPlan(random, hostile, used.tenant));
      // A stranger who looks might see a call of its own, because both may have chosen the id.
      const look = plan.look === 'stranger' ? 'none' : plan.look;
      this.#exchange({
        number: this.#sent,
        plan: { ...plan, look, ownId: true, isRepeated: false, chain: 0 },
        callId: used.callId,
      });
      return;
    }
    if (random() < batchShare) {
      this.#startBatch();
      return;
    }
    if (random() < this.#flowShare) {
      this.#startSeries();
      return;
    }
    const isTwin = random() < twinShare;
    const plans = isTwin ? randomTwins(random, hostile) : [randomPlan(random, hostile)];
    const id = randomUUID().slice(0, 8);
    for (const plan of plans) {
      this.#sent += 1;
      const callId = isTwin ? `twin-${id}` : plan.ownId ? `t-${this.#sent}-${id}` : undefined;
      this.#exchange({ number: this.#sent, plan: this.#maybeKeyed(plan), callId });
    }
  }

  get #flowShare(): number {
    return this.#options.flowShare ?? usualFlowShare;
  }

  #maybeKeyed(plan: Plan): Plan {
    const { random } = this.#options;
    return random() < this.#flowShare ? { ...plan, flow: randomFlow(random) } : plan;
  }

  /** Calls of one flow key. Each is sent once the one before it was answered, so that their order is known. */
  #startSeries(): void {
    const { random, hostile } = this.#options;
    const { tenant, function: name } = randomPlan(random, hostile);
    const flow = randomFlow(random);
    const id = randomUUID().slice(0, 8);
    const calls = Array.from({ length: 1 + integerBelow(random, maxSeries) }, (): Sent => {
      this.#sent += 1;
      const plan = { ...randomPlan(random, hostile, tenant), function: name, flow };
      return { number: this.#sent, plan, callId: plan.ownId ? `t-${this.#sent}-${id}` : undefined };
    });
    this.#keep(this.#converseInTurn(calls));
  }

  async #converseInTurn(calls: readonly Sent[]): Promise<void> {
    for (const sent of calls) {
      const known = await this.#open(sent);
      if (known !== undefined) {
        this.#keep(this.#goOn(sent, known));
      }
    }
  }

  /**
   * Calls of one tenant. The batch is answered as a whole, and each call has its own callback beside that of the batch.
   */
  #startBatch(): void {
    const { random, hostile } = this.#options;
    const tenant = pickFrom(random, tenants);
    const id = randomUUID().slice(0, 8);
    // Many calls at once: not in each batch.
    const flow = random() < 4 * this.#flowShare ? randomFlow(random) : undefined;
    const calls = Array.from({ length: 1 + integerBelow(random, maxBatch) }, (): Sent => {
      this.#sent += 1;
      const plan = { ...randomPlan(random, hostile, tenant), isRepeated: false, ...(flow && { flow }) };
      return { number: this.#sent, plan, callId: plan.ownId ? `t-${this.#sent}-${id}` : undefined };
    });
    this.#batches += 1;
    this.#keep(this.#converseAboutAll(this.#batches, calls));
  }

  async #converseAboutAll(batch: number, calls: readonly Sent[]): Promise<void> {
    const { history, random, gateways } = this.#options;
    const seat = pickFrom(random, gateways);
    for (const { number: request, plan, callId } of calls) {
      history.record({ kind: 'sent', request, gateway: seat.name, plan, callId });
    }
    const ids = await this.#client.sendBatch(batch, calls, seat);
    await Promise.all(
      calls.map(async (sent, index) => {
        const known = ids[index];
        if (known !== undefined) {
          await this.#goOn(sent, known);
        }
      }),
    );
  }

  #takeUsed(): UsedId | undefined {
    const { idsAgainMs = Number.POSITIVE_INFINITY } = this.#options;
    const [oldest] = this.#used;
    return oldest !== undefined && oldest.at + idsAgainMs < performance.now() ? this.#used.shift() : undefined;
  }

  #exchange(sent: Sent): void {
    this.#keep(this.#converse(sent));
  }

  #keep(work: Promise<void>): void {
    const exchange = work.finally(() => this.#exchanges.delete(exchange));
    this.#exchanges.add(exchange);
  }

  async #converse(sent: Sent): Promise<void> {
    const known = await this.#open(sent);
    if (known !== undefined) {
      await this.#goOn(sent, known);
    }
  }

  /** Sends a call. Returns its id if it was accepted. */
  async #open(sent: Sent): Promise<string | undefined> {
    const { history, random, gateways } = this.#options;
    const { number: request, plan, callId } = sent;
    const seat = pickFrom(random, gateways);
    history.record({ kind: 'sent', request, gateway: seat.name, plan, callId });
    return plan.isRepeated
      ? (await Promise.all([this.#client.send(sent, seat), this.#client.sendAgain(sent)])).find(Boolean)
      : await this.#client.send(sent, seat);
  }

  /** The next request of the caller of an accepted call. */
  async #goOn(sent: Sent, known: string): Promise<void> {
    const { plan } = sent;
    this.#accepted += 1;
    if (plan.ownId && !plan.isRepeated) {
      this.#used.push({ callId: known, tenant: plan.tenant, at: performance.now() });
    }
    await this.#look(sent, known);
    if (plan.cancelAfterMs !== undefined) {
      await delay(plan.cancelAfterMs);
      await this.#client.cancel(sent, known);
    }
  }

  async #look(sent: Sent, callId: string): Promise<void> {
    const { tenant, look } = sent.plan;
    if (look === 'own') {
      await this.#client.look(sent, callId, tenant, 'result');
    } else if (look === 'stranger') {
      const what = pickFrom(this.#options.random, ['state', 'result', 'cancel'] as const);
      await this.#client.look(sent, callId, strangerTo(tenant), what);
    }
  }
}

function strangerTo(tenant: Plan['tenant']): Plan['tenant'] {
  return tenants.find((other) => other !== tenant) ?? tenant;
}
