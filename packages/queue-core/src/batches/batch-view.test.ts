import { describe, expect, test } from 'vitest';
import { type BatchState, batchUrlOf, toBatchView } from './index.ts';

const state: BatchState = {
  v: 1,
  batchId: 'b-1',
  phase: 'sealed',
  startTime: '1700000000000000000',
  createdAt: Date.parse('2026-11-30T00:00:00Z'),
  parts: 1,
  total: 4,
  refused: 1,
};

const some = { succeeded: 1, failed: 1, cancelled: 0, expired: 1 };
const all = { succeeded: 2, failed: 1, cancelled: 0, expired: 1 };

describe('the state of a batch', () => {
  test('says how many calls have not ended', () => {
    expect(toBatchView(state, some)).toEqual({
      batchId: 'b-1',
      total: 4,
      open: 1,
      ...some,
      createdAt: '2026-11-30T00:00:00.000Z',
    });
  });

  test('has an open call until the end is on record', () => {
    expect(toBatchView(state, all)).toMatchObject({ open: 1 });
    const end = { v: 1 as const, batchId: 'b-1', ...all, endedAt: Date.parse('2026-11-30T00:01:00Z') };
    expect(toBatchView(state, some, end)).toMatchObject({ open: 0, ...all, endedAt: '2026-11-30T00:01:00.000Z' });
  });
});

describe('the end of a batch is sent', () => {
  const urls = { callbackUrl: 'https://done.test/', failureCallbackUrl: 'https://failed.test/' };
  const success = { succeeded: 4, failed: 0, cancelled: 0, expired: 0 };

  test.each([
    ['to the callback URL, if all calls have succeeded', urls, success, urls.callbackUrl],
    ['to that of failures, if one has not', urls, all, urls.failureCallbackUrl],
    ['to the callback URL, without one for failures', { callbackUrl: urls.callbackUrl }, all, urls.callbackUrl],
    [
      'to no URL, if all have succeeded and only failures are asked for',
      { failureCallbackUrl: 'x' },
      success,
      undefined,
    ],
  ])('%s', (_, more, counts, url) => {
    expect(batchUrlOf({ ...state, ...more }, counts)).toBe(url);
  });
});
