import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { BodyPace } from './body-pace.ts';

const mebibyte = 1024 * 1024;
const minRate = 16 * mebibyte;
const tickMs = 10;

let clock: number;
/** Messages of other calls. */
let sent: number;
let pace: BodyPace;

beforeEach(() => {
  clock = 0;
  sent = 0;
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  vi.spyOn(performance, 'now').mockImplementation(() => clock);
  pace = new BodyPace({ minRate, sent: () => sent });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

/** Other calls go on, and the event loop is late each time. */
async function pass(ticks: number, { lateMs = 0, messages = 10 } = {}): Promise<void> {
  for (let tick = 0; tick < ticks; tick++) {
    sent += messages;
    clock += tickMs + lateMs;
    await vi.advanceTimersByTimeAsync(tickMs);
  }
}

/** Takes the bytes over and over, and counts how often it could. */
function transfer(bytes: number, owner = 'alice'): { readonly count: number; end(): void } {
  let isOver = false;
  const counted = {
    count: 0,
    end: () => {
      isOver = true;
    },
  };
  void (async () => {
    while (!isOver) {
      await pace.take(bytes, owner);
      counted.count += 1;
    }
  })();
  return counted;
}

test('the busier the event loop, the slower large bodies get, but never slower than the minimum', async () => {
  const body = transfer(mebibyte);
  await pass(50);
  const inTime = pace.rate;
  await pass(5, { lateMs: 20 });
  expect(pace.rate).toBeLessThan(inTime / 2);
  await pass(100, { lateMs: 20 });
  expect(pace.rate).toBe(minRate);
  const before = body.count;
  await pass(100, { lateMs: 90 });
  // 10 s at 16 MiB/s.
  expect(body.count - before).toBeGreaterThanOrEqual(159);
  expect(body.count - before).toBeLessThanOrEqual(161);
  await pass(50);
  expect(pace.rate).toBeGreaterThan(minRate);
  body.end();
  await pass(50);
});

test('a little delay is tolerated', async () => {
  void pace.take(1, 'alice');
  const before = pace.rate;
  await pass(20, { lateMs: 4 });
  expect(pace.rate).toBeGreaterThan(before);
});

test('bodies that are alone wait for nothing, until there are other calls again', async () => {
  void pace.take(mebibyte, 'alice');
  await pass(100, { messages: 0, lateMs: 50 });
  expect(pace.rate).toBe(Number.POSITIVE_INFINITY);
  await Promise.all(Array.from({ length: 10_000 }, () => pace.take(mebibyte, 'alice')));
  void pace.take(mebibyte, 'alice');
  await pass(100, { messages: 1, lateMs: 50 });
  expect(pace.rate).toBe(minRate);
});

test('transfers begin in the order in which they have asked', async () => {
  const begun: number[] = [];
  const all = Array.from({ length: 20 }, async (_, at) => {
    await pace.take(mebibyte, 'alice');
    begun.push(at);
  });
  await pass(30);
  await Promise.all(all);
  expect(begun).toEqual(Array.from({ length: 20 }, (_, at) => at));
});

test('owners take turns, however many transfers each of them has', async () => {
  const flood = Array.from({ length: 100 }, () => transfer(mebibyte, 'mallory'));
  const body = transfer(mebibyte, 'bob');
  await pass(300, { lateMs: 20 });
  const all = flood.reduce((sum, { count }) => sum + count, 0);
  expect(body.count).toBeGreaterThan(50);
  expect(Math.abs(all - body.count)).toBeLessThan(10);
  for (const each of [body, ...flood]) {
    each.end();
  }
  await pass(300);
});

test('the event loop is watched only while bodies are transferred', async () => {
  expect(vi.getTimerCount()).toBe(0);
  void pace.take(mebibyte, 'alice');
  expect(vi.getTimerCount()).toBe(1);
  await pass(202);
  expect(vi.getTimerCount()).toBe(0);
  const later = pace.take(mebibyte, 'alice');
  await pass(2);
  await later;
  expect(vi.getTimerCount()).toBe(1);
});
