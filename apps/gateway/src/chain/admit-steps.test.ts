import type { ChainStep } from '@asyncfn/queue-core';
import { anyone, type Caller } from '@asyncfn/tokens';
import { describe, expect, test } from 'vitest';
import { type AdmitStepsOptions, admitSteps } from './admit-steps.ts';

const known = new Map([
  ['flip', 'default'],
  ['store.team', 'disk'],
]);

const options: AdmitStepsOptions = {
  caller: anyone,
  chainDepth: 0,
  lookup: (name) => {
    const queue = known.get(name);
    return queue === undefined ? undefined : { ...toConfig(name), queue };
  },
  names: { namesOf: (name) => [name] },
};

function toConfig(name: string) {
  const retry = { attempts: 0, minWaitMs: 0, maxWaitMs: 0, backoff: undefined, codes: undefined };
  return { name, url: 'http://a', timeoutMs: 0, concurrency: undefined, maxPending: undefined, adaptive: true, retry };
}

function stepsOf(values: string[], steps?: string[]): readonly ChainStep[] {
  const admitted = admitSteps(values, { steps }, options);
  if (admitted.kind === 'refused') {
    throw new Error(admitted.detail);
  }
  return admitted.steps;
}

function refusedCode(value: string, changes: Partial<AdmitStepsOptions> = {}): string | undefined {
  const admitted = admitSteps([value], {}, { ...options, ...changes });
  return admitted.kind === 'refused' ? admitted.code : undefined;
}

describe('the steps of a chain', () => {
  test('are read in their order, with their queues, path and query as they came', () => {
    const expected = [
      { function: 'flip', queue: 'default', path: '', query: '' },
      { function: 'store.team', queue: 'disk', path: '/a%2Cb/', query: 'c=%2C?&d' },
      { function: 'flip', queue: 'default', path: '', query: 'e' },
    ];
    expect(stepsOf(['flip , store.team/a%2Cb/?c=%2C?&d,flip?e'])).toEqual(expected);
    expect(stepsOf(['flip', 'store.team/a%2Cb/?c=%2C?&d', ' flip?e'])).toEqual(expected);
  });

  test('are those of the settings if the caller names none, even if a function is gone', () => {
    expect(stepsOf([])).toEqual([]);
    expect(stepsOf([], ['flip', 'gone/a']).map((step) => step.function)).toEqual(['flip', 'gone']);
    expect(stepsOf(['flip'], ['store.team'])).toMatchObject([{ function: 'flip' }]);
  });

  test('are 16 at most, and end no more than 32 hops after the first call', () => {
    const of = (count: number): string => Array.from({ length: count }, () => 'flip').join();
    expect(refusedCode(of(16))).toBeUndefined();
    expect(refusedCode(of(17))).toBe('invalid_then');
    expect(refusedCode(of(2), { chainDepth: 30 })).toBeUndefined();
    expect(refusedCode(of(3), { chainDepth: 30 })).toBe('chain_too_deep');
  });

  test.each([
    ['', 'invalid_then'],
    ['flip,', 'invalid_then'],
    ['flip,,flip', 'invalid_then'],
    ['flip#a', 'invalid_then'],
    ['flip a', 'invalid_function_name'],
    ['flip/a b', 'invalid_path'],
    ['flip/../..', 'invalid_path'],
    ['/flip', 'invalid_function_name'],
    ['flip,gone', 'unknown_function'],
  ])('%j is refused as %s', (value, code) => {
    expect(refusedCode(value)).toBe(code);
  });

  test('are refused if the token does not allow one of them, whether it exists or not', () => {
    const caller: Caller = { ...anyone, covers: (name) => name === 'flip' };
    expect(refusedCode('flip', { caller })).toBeUndefined();
    expect(refusedCode('flip,store.team', { caller })).toBe('forbidden');
    expect(refusedCode('flip,gone', { caller })).toBe('forbidden');
  });

  test('that are refused are named by their number, not by their content (P9)', () => {
    const admitted = admitSteps(['flip,s3cret s'], {}, options);
    expect(admitted).toMatchObject({ kind: 'refused', detail: expect.stringMatching(/^Step 2 of X-Then: /) });
    expect(JSON.stringify(admitted)).not.toContain('s3cret');
  });
});
