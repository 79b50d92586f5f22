import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { LaneGate, type Pass } from './lane-gate.ts';
import { limiterRules as rules } from './limiter-rules.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A gate, and how often it has said that there is room. */
function openGate(adaptive = true) {
  const seen = { rooms: 0 };
  const gate = new LaneGate({ adaptive, onRoom: () => void seen.rooms++, now: Date.now });
  return { gate, seen };
}

async function enter(gate: LaneGate, count: number): Promise<Pass[]> {
  const passes: Pass[] = [];
  for (let sent = 0; sent < count; sent++) {
    passes.push((await gate.enter())!);
  }
  return passes;
}

/** The result so far. */
function watch(turn: Pass | Promise<Pass | undefined>): { pass?: Pass | undefined; over: boolean } {
  const seen: { pass?: Pass | undefined; over: boolean } = { over: false };
  void Promise.resolve(turn).then((pass) => Object.assign(seen, { pass, over: true }));
  return seen;
}

const settle = () => vi.advanceTimersByTimeAsync(0);

describe('with a limiter', () => {
  test('calls pass until the limit is reached, and the others as the number in flight falls below it', async () => {
    const { gate } = openGate();
    const [first] = await enter(gate, 10);
    expect([gate.limit, gate.room]).toEqual([10, 0]);
    const waiting = watch(gate.enter());
    await settle();
    expect([waiting.over, gate.occupied]).toEqual([false, 11]);
    first?.leave('unclear');
    await settle();
    expect([waiting.over, gate.occupied]).toEqual([true, 10]);
  });

  test('a call that waits passes when the limit grows by time alone', async () => {
    const { gate, seen } = openGate();
    await enter(gate, 10);
    const waiting = watch(gate.enter());
    const { rooms } = seen;
    await vi.advanceTimersByTimeAsync(rules.silenceMs);
    expect(waiting.over).toBe(true);
    expect(seen.rooms).toBeGreaterThan(rooms);
  });

  test('waiting calls pass at a function that is silent, however many steps of the limit that takes', async () => {
    const { gate } = openGate();
    await enter(gate, 10);
    const waiting = Array.from({ length: 20 }, () => watch(gate.enter()));
    await vi.advanceTimersByTimeAsync(5 * rules.silenceMs);
    expect(waiting.filter(({ over }) => !over)).toEqual([]);
  });

  test('a rejected call goes before those that wait for their first attempt', async () => {
    const { gate } = openGate();
    const passes = await enter(gate, 10);
    const fresh = watch(gate.enter());
    passes[9]?.leave('rejected');
    expect(passes[9]?.rejectedInCompany).toBe(true);
    const again = watch(gate.again());
    for (const pass of passes.slice(0, 2)) {
      pass.leave('taken');
    }
    await settle();
    expect([again.over, fresh.over]).toEqual([true, false]);
  });

  test('a rejected call waits until another one has been taken, whatever room there is', async () => {
    const { gate } = openGate();
    const passes = await enter(gate, 3);
    passes[2]?.leave('rejected');
    const again = watch(gate.again());
    passes[1]?.leave('unclear');
    await settle();
    expect(again.over).toBe(false);
    passes[0]?.leave('taken');
    await settle();
    expect(again.pass).toBeDefined();
  });

  test('rejected calls wait no longer when the function has no other calls of ours', async () => {
    const { gate } = openGate();
    const passes = await enter(gate, 3);
    const turns = passes.map((pass) => {
      pass.leave('rejected');
      return watch(gate.again());
    });
    await settle();
    expect(passes.map((pass) => pass.rejectedInCompany)).toEqual([false, true, true]);
    expect(turns).toEqual(passes.map(() => ({ pass: undefined, over: true })));
    expect(gate.occupied).toBe(0);
  });

  test('rejected calls wait no longer than 30 s', async () => {
    const { gate } = openGate();
    const passes = await enter(gate, 3);
    passes[2]?.leave('rejected');
    const again = watch(gate.again());
    await vi.advanceTimersByTimeAsync(29_999);
    expect(again.over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(again).toEqual({ pass: undefined, over: true });
    expect(gate.occupied).toBe(2);
  });

  test('a lane whose function takes nothing hears when it may ask again', async () => {
    const { gate, seen } = openGate();
    const reject = async () => (await gate.enter())?.leave('rejected');
    await reject();
    await vi.advanceTimersByTimeAsync(10_000);
    await reject();
    const { rooms } = seen;
    expect(gate.room).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    expect([gate.room, seen.rooms]).toEqual([1, rooms + 1]);
  });

  test('no call waits at a closed gate, and a call with room passes', async () => {
    const { gate } = openGate();
    const passes = await enter(gate, 10);
    passes[9]?.leave('rejected');
    const turns = [watch(gate.enter()), watch(gate.again())];
    gate.close();
    turns.push(watch(gate.enter()), watch(gate.again()));
    await settle();
    expect(turns).toEqual(turns.map(() => ({ pass: undefined, over: true })));
    for (const pass of passes.slice(0, 5)) {
      pass.leave('taken');
    }
    expect(await gate.enter()).toBeDefined();
  });
});

describe('without a limiter', () => {
  test('everything passes, and a rejected call has no second turn', async () => {
    const { gate } = openGate(false);
    const passes = await enter(gate, 1_000);
    expect([passes.length, gate.limit, gate.room]).toEqual([1_000, undefined, Number.POSITIVE_INFINITY]);
    passes[999]?.leave('rejected');
    expect(await gate.again()).toBeUndefined();
  });

  test('from now on: waiting calls pass at once', async () => {
    const { gate } = openGate();
    await enter(gate, 10);
    const waiting = watch(gate.enter());
    gate.adaptive = false;
    await settle();
    expect(waiting.over).toBe(true);
  });
});

describe('a call that is cancelled', () => {
  test('while it waits for its first attempt never passes, and leaves its room to others', async () => {
    const { gate, seen } = openGate();
    const [first] = await enter(gate, 10);
    const cancel = new AbortController();
    const cancelled = watch(gate.enter(cancel.signal));
    const other = watch(gate.enter());
    const { rooms } = seen;
    cancel.abort();
    await settle();
    expect(cancelled).toEqual({ pass: undefined, over: true });
    expect([gate.occupied, seen.rooms - rooms]).toEqual([11, 1]);
    first?.leave('unclear');
    await settle();
    expect([other.over, other.pass !== undefined]).toEqual([true, true]);
  });

  test('while it waits for its next attempt never passes', async () => {
    const { gate } = openGate();
    const [first, second] = await enter(gate, 10);
    first?.leave('rejected');
    const cancel = new AbortController();
    const cancelled = watch(gate.again(cancel.signal));
    cancel.abort();
    second?.leave('taken');
    await settle();
    expect(cancelled).toEqual({ pass: undefined, over: true });
    expect(gate.occupied).toBe(8);
  });

  test('before it comes does not pass, although there is room', async () => {
    const { gate } = openGate();
    const cancelled = watch(gate.enter(AbortSignal.abort()));
    await settle();
    expect(cancelled).toEqual({ pass: undefined, over: true });
    expect(gate.occupied).toBe(0);
  });

  test('after it has passed changes nothing for the others', async () => {
    const { gate, seen } = openGate();
    const [first] = await enter(gate, 10);
    const cancel = new AbortController();
    const passing = watch(gate.enter(cancel.signal));
    first?.leave('unclear');
    await settle();
    const { rooms } = seen;
    cancel.abort();
    expect([passing.pass !== undefined, gate.occupied, seen.rooms]).toEqual([true, 10, rooms]);
  });
});
