import { describe, expect, test } from 'vitest';
import { retry } from './retry.ts';

/** Numbers from 1 on; the waits are recorded and skipped. */
function counting(onSleep: (ms: number) => void = () => {}) {
  let tries = 0;
  const slept: number[] = [];
  const sleep = async (ms: number): Promise<void> => {
    slept.push(ms);
    onSleep(ms);
  };
  return { attempt: async () => ++tries, sleep, slept };
}

describe('retry', () => {
  test('ends with the first final result', async () => {
    const { attempt, sleep, slept } = counting();
    expect(await retry(attempt, { waits: [5, 10, 20], until: (n) => n === 3, sleep })).toBe(3);
    expect(slept).toEqual([5, 10]);
  });

  test('makes one more try than there are waits', async () => {
    const { attempt, sleep, slept } = counting();
    expect(await retry(attempt, { waits: [5, 10], until: () => false, sleep })).toBe(3);
    expect(slept).toEqual([5, 10]);
  });

  test('tries once more after an abort, and once if it is aborted already', async () => {
    const controller = new AbortController();
    const { attempt, sleep } = counting(() => controller.abort());
    const options = { waits: [5, 10, 20], until: () => false, signal: controller.signal, sleep };
    expect(await retry(attempt, options)).toBe(2);
    expect(await retry(attempt, options)).toBe(3);
  });

  test('ends a long wait when the signal aborts', async () => {
    const { attempt } = counting();
    const signal = AbortSignal.timeout(10);
    expect(await retry(attempt, { waits: [3_600_000], until: () => false, signal })).toBe(2);
  });

  test('rejects with the error of a try', async () => {
    const failing = retry(() => Promise.reject(new Error('broken')), { waits: [1], until: () => true });
    await expect(failing).rejects.toThrow('broken');
  });
});
