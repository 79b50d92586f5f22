import { expect, test } from 'vitest';
import { groupLetters, type Letter } from './group-letters.ts';

const letter: Letter = {
  callId: 'a',
  kind: 'call',
  function: 'thumbnail',
  queue: 'default',
  reason: 'rejected',
  lastStatus: 400,
  attempts: 1,
  createdAt: '2026-01-31T12:00:00.000Z',
  endedAt: '2026-01-31T12:00:01.000Z',
  bytes: 5,
};

test('dead letters of one function with one reason are a group, the largest first', () => {
  const groups = groupLetters([
    letter,
    { ...letter, callId: 'b', reason: 'retries_exhausted', lastStatus: 503 },
    { ...letter, callId: 'c', reason: 'retries_exhausted', lastStatus: 503, endedAt: '2026-01-31T11:00:00.000Z' },
    { ...letter, callId: 'd', reason: 'retries_exhausted', lastStatus: undefined, endedAt: '2026-01-31T13:00:00.000Z' },
    { ...letter, callId: 'e', function: 'other' },
  ]);
  expect(groups.map(({ function: name, reason, letters }) => [name, reason, letters.length])).toEqual([
    ['thumbnail', 'retries_exhausted', 3],
    ['thumbnail', 'rejected', 1],
    ['other', 'rejected', 1],
  ]);
  expect(groups[0]).toMatchObject({
    oldestAt: '2026-01-31T11:00:00.000Z',
    newestAt: '2026-01-31T13:00:00.000Z',
    usualStatus: 503,
  });
});

test('a call and its callback are different groups', () => {
  expect(groupLetters([letter, { ...letter, kind: 'callback' }])).toHaveLength(2);
});
