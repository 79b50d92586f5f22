import { expect, test } from 'vitest';
import { type CallTemplate, scheduledCallId, toScheduledCall } from './call-template.ts';

const target = { name: 'f.team', queue: 'images' };
const at = Date.parse('2026-11-30T03:00:00Z');
const template: CallTemplate = { path: '/a', query: 'b', headers: [['X-Own', '1']] };

function callOf(changes: Partial<CallTemplate>, settings = {}, ofTarget = {}) {
  return toScheduledCall(
    {
      name: 'nightly',
      settings: { function: 'f', every: '1m', ...settings },
      template: { ...template, ...changes },
      at,
    },
    {
      id: 'id',
      target: { ...target, ...ofTarget },
      startTime: '1796000000000123456',
      lookup: (name) => (name === 'store' ? { name: 'store.team', queue: 'disk' } : undefined),
    },
  );
}

test('the id of a call is a function of schedule and moment', () => {
  expect(scheduledCallId('a', 1)).toBe(scheduledCallId('a', 1));
  expect(scheduledCallId('a', 1)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(new Set([scheduledCallId('a', 1), scheduledCallId('a', 11), scheduledCallId('a1', 1)]).size).toBe(3);
});

test('a call has what its schedule says, and knows its moment', () => {
  expect(callOf({ labels: ['x'], maxRetries: 3, expiresInMs: 5_000 }, { json: { a: 1 } })).toEqual({
    id: 'id',
    function: 'f.team',
    queue: 'images',
    path: '/a',
    query: 'b',
    headers: [['X-Own', '1']],
    labels: ['x'],
    maxRetries: 3,
    expiresAt: 1_796_000_005_000,
    schedule: { name: 'nightly', at },
    startTime: '1796000000000123456',
    retry: 0,
    body: Buffer.from('{"a":1}'),
  });
  expect(callOf({}, { bodyBase64: 'AAH/' }).body).toEqual(Buffer.from([0, 1, 255]));
});

test('what the schedule leaves open is as the function has it now', () => {
  const ofTarget = { callbackUrl: 'http://own', failureCallbackUrl: 'http://fail', steps: ['store/a?b=c?d', 'gone'] };
  expect(callOf({}, {}, ofTarget)).toMatchObject({
    callbackUrl: 'http://own',
    failureCallbackUrl: 'http://fail',
    steps: [
      { function: 'store.team', queue: 'disk', path: '/a', query: 'b=c?d' },
      { function: 'gone', queue: 'images', path: '', query: '' },
    ],
  });
  const steps = [{ function: 'x', queue: 'q', path: '', query: '' }];
  expect(callOf({ callbackUrl: 'http://mine', steps }, {}, ofTarget)).toMatchObject({
    callbackUrl: 'http://mine',
    failureCallbackUrl: 'http://fail',
    steps,
  });
});
