import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { after, every, sleep } from './timing.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const DAY_MS = 86_400_000;

describe('sleep', () => {
  test('is over when its time has passed, not before', async () => {
    let over: boolean | undefined;
    void sleep(100).then((whole) => {
      over = whole;
    });
    await vi.advanceTimersByTimeAsync(99);
    expect(over).toBeUndefined();
    await vi.advanceTimersByTimeAsync(1);
    expect(over).toBe(true);
  });

  test('is cut short by its signal, and leaves neither a timer nor a listener', async () => {
    const controller = new AbortController();
    const removed = vi.spyOn(controller.signal, 'removeEventListener');
    const asleep = sleep(100, controller.signal);
    controller.abort();
    expect(await asleep).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
    expect(removed).toHaveBeenCalledTimes(1);
  });

  test('does not begin under an aborted signal', async () => {
    expect(await sleep(100, AbortSignal.abort())).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('may be longer than a timer can be', async () => {
    let over = false;
    void sleep(60 * DAY_MS).then(() => {
      over = true;
    });
    await vi.advanceTimersByTimeAsync(60 * DAY_MS - 1);
    expect(over).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(over).toBe(true);
  });
});

describe('after', () => {
  test('runs once when its time has passed', () => {
    const run = vi.fn();
    after(100, run);
    vi.advanceTimersByTime(99);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1_000);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('may be longer than a timer can be', () => {
    const run = vi.fn();
    after(60 * DAY_MS, run);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(run).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(run).toHaveBeenCalledTimes(1);
  });

  test('does not run once it is prevented, in its last stretch either', () => {
    const run = vi.fn();
    const prevent = after(60 * DAY_MS, run);
    vi.advanceTimersByTime(59 * DAY_MS);
    prevent();
    prevent();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(60 * DAY_MS);
    expect(run).not.toHaveBeenCalled();
  });
});

describe('every', () => {
  test('runs after each interval until the signal aborts, then resolves', async () => {
    const controller = new AbortController();
    let runs = 0;
    const ended = every(
      100,
      () => {
        runs += 1;
      },
      { signal: controller.signal, onError: raise },
    );
    await vi.advanceTimersByTimeAsync(350);
    expect(runs).toBe(3);
    controller.abort();
    await ended;
    expect(vi.getTimerCount()).toBe(0);
  });

  test('a run that takes longer than the interval is not overlapped, and the end waits for it', async () => {
    const controller = new AbortController();
    let running = 0;
    let mostRunning = 0;
    let ended = false;
    const slow = async () => {
      running += 1;
      mostRunning = Math.max(mostRunning, running);
      await sleep(250);
      running -= 1;
    };
    void every(100, slow, { signal: controller.signal, onError: raise }).then(() => {
      ended = true;
    });
    await vi.advanceTimersByTimeAsync(1_200);
    expect({ running, mostRunning }).toEqual({ running: 1, mostRunning: 1 });
    controller.abort();
    await vi.advanceTimersByTimeAsync(0);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(250);
    expect(ended).toBe(true);
  });

  test.each([
    ['rejects', () => Promise.reject(new Error('once'))],
    [
      'throws',
      () => {
        throw new Error('once');
      },
    ],
  ])('a run that %s is reported, and the next comes all the same', async (_, fn) => {
    const controller = new AbortController();
    const errors: unknown[] = [];
    void every(100, fn, { signal: controller.signal, onError: (error) => errors.push(error) });
    await vi.advanceTimersByTimeAsync(200);
    expect(errors).toEqual([new Error('once'), new Error('once')]);
    controller.abort();
  });
});

function raise(error: unknown): never {
  throw error;
}
