import { createCallId } from '@asyncfn/queue-core';
import { eventually, gate, status } from '@asyncfn/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { agree, type Model, startWalk, type Walk, waiting, withStatus } from './walk-fixture.ts';

type Step = fc.AsyncCommand<Model, Walk>;

/** One thing that can happen. State and queue are compared with the model after each. */
abstract class Command implements Step {
  check(_model: Readonly<Model>): boolean {
    return true;
  }

  async run(model: Model, walk: Walk): Promise<void> {
    await this.act(model, walk);
    await agree(model, walk);
  }

  abstract act(model: Model, walk: Walk): Promise<void>;

  toString(): string {
    return this.constructor.name;
  }
}

/** After the end of any walk. */
const hourMs = 3_600_000;

interface Wish {
  readonly isKeyed: boolean;
  /** `X-Delay`. */
  readonly delayMs: number;
  /** `X-Expires-In`. */
  readonly expiresInMs: number | undefined;
}

class Enqueue extends Command {
  readonly #wish: Wish;

  constructor(wish: Wish) {
    super();
    this.#wish = wish;
  }

  async act(model: Model, { bench, finder }: Walk) {
    const { isKeyed, delayMs, expiresInMs } = this.#wish;
    const id = createCallId();
    const now = Date.now();
    const notBefore = delayMs === 0 ? {} : { notBefore: now + delayMs };
    const expiresAt = expiresInMs === undefined ? {} : { expiresAt: now + expiresInMs };
    const options = { unique: false, ...(isKeyed && { key: id }) };
    const result = await bench.accept({ id, body: Buffer.from(id), ...notBefore, ...expiresAt }, options);
    expect(result).toMatchObject({ kind: 'stored' });
    const isLong = delayMs === hourMs;
    if (delayMs > 0 && !isLong) {
      await eventually(async () => (await phaseOf(finder, id)) === 'queued');
    }
    model.set(id, { status: isLong ? 'scheduled' : 'queued', replays: 0, attempts: 0, isKeyed });
  }

  override toString(): string {
    return `Enqueue(${JSON.stringify(this.#wish)})`;
  }
}

/** A call that no worker takes in time, because it waits for its turn or for its time. */
class LetExpire extends Command {
  readonly #delayMs: number;

  constructor(delayMs: number) {
    super();
    this.#delayMs = delayMs;
  }

  async act(model: Model, { bench }: Walk) {
    const now = Date.now();
    const notBefore = this.#delayMs === 0 ? {} : { notBefore: now + this.#delayMs };
    const { id } = await bench.put({ expiresAt: now + 200, ...notBefore });
    // It has ended once its dead letter exists.
    await eventually(async () => (await bench.deadLetters.find({ callId: id })).length === 1);
    model.set(id, { status: 'expired', replays: 0, attempts: 0, isKeyed: false });
  }
}

/**
 * A step of the call that is delivered next: the broker decides which one, and the model only knows which are possible.
 */
abstract class WithDelivery extends Command {
  override check(model: Readonly<Model>): boolean {
    return withStatus(model, 'queued').length > 0;
  }

  protected async take(model: Model, { bench }: Walk) {
    const delivery = await bench.take();
    const call = model.get(delivery.callId);
    expect([delivery.callId, call?.status]).toEqual([delivery.callId, 'queued']);
    return { delivery, call: call! };
  }
}

class Succeed extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { delivery, call } = await this.take(model, walk);
    walk.fn.handler = status(200);
    await walk.bench.run(delivery);
    call.status = 'succeeded';
    call.attempts += 1;
  }
}

class FailForGood extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { delivery, call } = await this.take(model, walk);
    walk.fn.handler = status(400);
    await walk.bench.run(delivery);
    call.status = 'failed';
    call.attempts += 1;
  }
}

/** The retry comes in a minute: after the end of any walk. */
class FailForNow extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { delivery, call } = await this.take(model, walk);
    walk.fn.handler = status(503);
    await walk.bench.run(delivery);
    call.status = 'retrying';
    call.attempts += 1;
  }
}

class FailAndComeBack extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { bench, finder, fn } = walk;
    const { delivery, call } = await this.take(model, walk);
    fn.handler = status(503);
    const retry = { ...bench.target.retry, minWaitMs: 20, maxWaitMs: 20 };
    await bench.run(delivery, { ...bench.target, retry });
    await eventually(async () => (await phaseOf(finder, delivery.callId)) === 'queued');
    call.attempts += 1;
  }
}

/**
 * A worker that stops hands it back, and the next one looks for its outcome first. A broker that restarts forgets that,
 * and the call waits for its lease.
 */
class HandBack extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { delivery } = await this.take(model, walk);
    await walk.bench.handovers.note(delivery);
    delivery.nak();
    await new Promise(setImmediate); // acks go out at the end of a tick
    await walk.bench.broker.connection?.flush();
  }
}

class CancelWhileItRuns extends WithDelivery {
  async act(model: Model, walk: Walk) {
    const { delivery, call } = await this.take(model, walk);
    const held = gate();
    walk.fn.handler = held.handler;
    const before = walk.fn.invocations.length;
    const run = walk.bench.run(delivery);
    await walk.fn.waitForInvocations(before + 1);
    expect(await walk.finder.find({ callId: delivery.callId })).toMatchObject({ kind: 'active', phase: 'running' });
    expect(await walk.canceller.cancel({ callId: delivery.callId })).toMatchObject({ kind: 'cancelled' });
    await run;
    call.status = 'cancelled';
    call.attempts += 1;
  }
}

/** A step of one of the calls so far. */
abstract class WithCall extends Command {
  readonly #pick: number;

  constructor(pick: number) {
    super();
    this.#pick = pick;
  }

  override check(model: Readonly<Model>): boolean {
    return model.size > 0;
  }

  protected callId(model: Model): string {
    return [...model.keys()][this.#pick % model.size]!;
  }
}

class Cancel extends WithCall {
  async act(model: Model, { canceller }: Walk) {
    const call = model.get(this.callId(model))!;
    const isAlive = waiting.includes(call.status);
    const result = await canceller.cancel({ callId: this.callId(model) });
    call.status = isAlive ? 'cancelled' : call.status;
    expect(result).toMatchObject({
      kind: isAlive ? 'cancelled' : 'ended',
      call: { outcome: { status: call.status, generation: call.replays } },
    });
  }
}

class Replay extends WithCall {
  async act(model: Model, { bench }: Walk) {
    const call = model.get(this.callId(model))!;
    const result = await bench.deadLetters.replay({ callId: this.callId(model) }, () => bench.target);
    if (call.status === 'failed' || call.status === 'expired') {
      expect(result).toMatchObject({ kind: 'replayed' });
      Object.assign(call, { status: 'queued', replays: call.replays + 1, attempts: 0 });
    } else {
      expect(result).toEqual({ kind: 'kept', refusal: 'dead_letter_not_found' });
    }
  }
}

/** A call that came before, with its key or its id: nothing is stored, whatever the state of the call. */
class Duplicate extends WithCall {
  async act(model: Model, { bench }: Walk) {
    const id = this.callId(model);
    const body = Buffer.from(id);
    if (model.get(id)!.isKeyed) {
      const keyed = { unique: false, key: id };
      expect(await bench.accept({ body }, keyed)).toMatchObject({ kind: 'replayed', earlier: { callId: id } });
      expect(await bench.accept({ body: Buffer.from('another') }, keyed)).toEqual({ kind: 'key_reused' });
    }
    expect(await bench.accept({ id, body }, { unique: true })).toMatchObject({ kind: 'refused', reason: 'conflict' });
  }
}

class Purge extends Command {
  async act(model: Model, { purge, bench }: Walk) {
    const callIds = withStatus(model, ...waiting);
    expect(await purge.purge({ queue: bench.target.queue })).toBe(callIds.length);
    for (const callId of callIds) {
      model.get(callId)!.status = 'cancelled';
    }
  }
}

class RestartBroker extends Command {
  async act(_model: Model, { nats, bench }: Walk) {
    await nats.restart();
    await eventually(() => bench.broker.connected && bench.topology.ready);
  }
}

const wishes: fc.Arbitrary<Wish> = fc.record({
  isKeyed: fc.boolean(),
  delayMs: fc.constantFrom(0, 0, 20, hourMs),
  expiresInMs: fc.constantFrom(undefined, hourMs),
});

async function phaseOf(finder: Walk['finder'], callId: string): Promise<string | undefined> {
  const standing = await finder.find({ callId });
  return standing?.kind === 'active' ? standing.phase : undefined;
}

const steps = fc.commands(
  [
    wishes.map((wish) => new Enqueue(wish)),
    wishes.map((wish) => new Enqueue(wish)),
    wishes.map((wish) => new Enqueue(wish)),
    fc.constantFrom(0, hourMs).map((delayMs) => new LetExpire(delayMs)),
    fc.nat(100).map((pick) => new Duplicate(pick)),
    fc.nat(100).map((pick) => new Duplicate(pick)),
    fc.constant(new Succeed()),
    fc.constant(new FailForGood()),
    fc.constant(new FailForNow()),
    fc.constant(new FailAndComeBack()),
    fc.constant(new HandBack()),
    fc.constant(new CancelWhileItRuns()),
    fc.nat(100).map((pick) => new Cancel(pick)),
    fc.nat(100).map((pick) => new Cancel(pick)),
    fc.nat(100).map((pick) => new Replay(pick)),
    fc.constant(new Purge()),
    fc.constant(new RestartBroker()),
  ],
  { maxCommands: 40, size: 'max' },
);

/** `RANDOM_WALKS=200 vitest run random-walk` walks further. */
const walks = Number(process.env['RANDOM_WALKS'] ?? 6);

test(
  'whatever happens to calls in whatever order, their state and the queue match a small model',
  async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (commands) => {
        await using walk = await startWalk();
        await fc.asyncModelRun(() => ({ model: new Map(), real: walk }), commands);
      }),
      { numRuns: walks, endOnFailure: true },
    );
  },
  walks * 30_000,
);
