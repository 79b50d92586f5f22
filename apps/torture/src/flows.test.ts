import { createRandom } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { flowLimitsOf, flowSettingsOf, formatControl, randomFlow } from './flows.ts';

test('what a caller names is in the form of X-Flow-Control', () => {
  expect(formatControl({ key: 'k' })).toBeUndefined();
  expect(formatControl({ key: 'k', parallelism: 2 })).toBe('parallelism=2');
  const rate = { count: 3, periodMs: 2_000 };
  expect(formatControl({ key: 'k', parallelism: 2, rate })).toBe('parallelism=2, rate=3, period=2s');
  expect(formatControl({ key: 'k', rate })).toBe('rate=3, period=2s');
});

test('the settings of a function outrank what callers name, and one call at a time is the default', () => {
  const flow = { key: 'k', parallelism: 3 };
  const settings = flowSettingsOf('bulk');
  expect(settings).toEqual({ parallelism: 2, rate: '4/2s' });
  expect(flowLimitsOf({ function: 'bulk', flow })?.parallelism).toBe(settings?.parallelism);
  expect(flowLimitsOf({ function: 'quick', flow })?.parallelism).toBe(3);
  expect(flowLimitsOf({ function: 'quick', flow: { key: 'k' } })).toMatchObject({ parallelism: 1 });
  expect(flowLimitsOf({ function: 'quick' })).toBeUndefined();
  expect(flowSettingsOf('quick')).toBeUndefined();
});

test('calls of one key always name the same limits', () => {
  const random = createRandom(9);
  const named = new Map<string, Set<string | undefined>>();
  for (let n = 0; n < 1_000; n++) {
    const flow = randomFlow(random);
    named.set(flow.key, (named.get(flow.key) ?? new Set()).add(formatControl(flow)));
  }
  expect(named.size).toBe(16);
  expect([...named.values()].every(({ size }) => size === 1)).toBe(true);
});
