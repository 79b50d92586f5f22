import { expect, test } from 'vitest';
import { Standings } from './standing.ts';

function open(max?: number) {
  let now = 1_000_000;
  const standings = new Standings({ now: () => now, ...(max !== undefined && { max }) });
  return {
    standings,
    pass: (ms: number): void => {
      now += ms;
    },
    /** One request that takes so long. */
    request: (key: string, ms: number, answered: boolean): void => {
      const end = standings.begin(key);
      now += ms;
      end(answered);
    },
  };
}

test('who has never been asked has no standing, who is asked for the first time is unknown', () => {
  const { standings } = open();
  expect(standings.of('a')).toBeUndefined();
  standings.begin('a');
  expect(standings.of('a')).toBe('unknown');
});

test('who has answered is answering, for ten minutes after the last answer', () => {
  const { standings, request, pass } = open();
  request('a', 100, true);
  expect(standings.of('a')).toBe('answering');
  pass(10 * 60_000);
  expect(standings.of('a')).toBe('answering');
  pass(1);
  expect(standings.of('a')).toBeUndefined();
});

test('who leaves a request without an answer for a second is hanging, at once', () => {
  const { standings, request, pass } = open();
  request('a', 10, true);
  standings.begin('a');
  pass(999);
  expect(standings.of('a')).toBe('answering');
  pass(1);
  expect(standings.of('a')).toBe('hanging');
});

test('who is slow, and answers, has three times as long as the last answer took', () => {
  const { standings, request, pass } = open();
  request('a', 5_000, true);
  standings.begin('a');
  pass(14_999);
  expect(standings.of('a')).toBe('answering');
  pass(1);
  expect(standings.of('a')).toBe('hanging');
});

test('who did not answer in time is hanging until it does, and not trusted for a minute more', () => {
  const { standings, request, pass } = open();
  request('a', 15_000, false);
  expect(standings.of('a')).toBe('hanging');
  pass(100_000);
  expect(standings.of('a')).toBe('hanging');
  request('b', 15_000, false);
  request('b', 10, true);
  expect(standings.of('b')).toBe('unknown');
  pass(60_000);
  expect(standings.of('b')).toBe('answering');
});

test('a request that fails at once says nothing', () => {
  const { standings, request } = open();
  request('a', 2, false);
  expect(standings.of('a')).toBeUndefined();
  request('b', 2, true);
  request('b', 2, false);
  expect(standings.of('b')).toBe('answering');
});

test('who answers some and lets others hang is unknown', () => {
  const { standings, request, pass } = open();
  standings.begin('a');
  pass(5_000);
  expect(standings.of('a')).toBe('hanging');
  request('a', 10, true);
  expect(standings.of('a')).toBe('unknown');
});

test('those who were seen last are remembered', () => {
  const { standings, request } = open(2);
  request('a', 1, true);
  request('b', 1, true);
  expect(standings.of('a')).toBe('answering');
  request('c', 1, true);
  expect(['a', 'b', 'c'].map((key) => standings.of(key))).toEqual(['answering', undefined, 'answering']);
});
