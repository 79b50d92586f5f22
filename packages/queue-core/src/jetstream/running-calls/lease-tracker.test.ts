import { describe, expect, test } from 'vitest';
import type { RunningReport } from '../../records/running-call.ts';
import { concerns, LeaseTracker, type StoredAttempt } from './lease-tracker.ts';

const call = { callId: 'call', startTime: '1700000000000000000' };
const attempt: StoredAttempt = { call, generation: 0, retry: 1, sequence: 7 };
const report: RunningReport = { v: 1, standing: 'running', generation: 0, retry: 1, maxRetries: 3, startedAt: 1_000 };

function openBook() {
  const clock = { now: 0 };
  return { clock, book: new LeaseTracker(() => clock.now) };
}

describe('an attempt without an answer of its worker', () => {
  test('is silent from the first unanswered question on, and keeps its last report', () => {
    const { book, clock } = openBook();
    book.asked(attempt);
    book.heard(call, report);
    clock.now = 100;
    book.asked(attempt);
    expect(book.unanswered(attempt)).toEqual({ last: report, forMs: 0 });
    clock.now = 400;
    book.asked(attempt);
    expect(book.unanswered(attempt)).toEqual({ last: report, forMs: 300 });
  });

  test('is no longer silent once an answer has come, however late', () => {
    const { book, clock } = openBook();
    book.asked(attempt);
    book.unanswered(attempt);
    clock.now = 5_000;
    book.heard(call, { ...report, retry: 2 });
    clock.now = 6_000;
    expect(book.unanswered(attempt)).toEqual({ last: { ...report, retry: 2 }, forMs: 0 });
  });

  test('stays silent if a worker reports an earlier attempt, or had this one and has it no more', () => {
    const { book, clock } = openBook();
    book.asked(attempt);
    book.unanswered(attempt);
    clock.now = 100;
    book.heard(call, { ...report, retry: 0 });
    book.heard(call, { ...report, standing: 'left' });
    expect(book.unanswered(attempt)).toEqual({ last: undefined, forMs: 100 });
  });

  test('becomes silent again from the start if the connection was lost, or the message is another', () => {
    const { book, clock } = openBook();
    book.asked(attempt);
    book.heard(call, report);
    book.unanswered(attempt);
    clock.now = 100;
    book.connectionLost();
    expect(book.unanswered(attempt)).toEqual({ last: report, forMs: 0 });
    clock.now = 200;
    const next = { ...attempt, retry: 2, sequence: 9 };
    book.asked(next);
    expect(book.unanswered(next)).toEqual({ last: undefined, forMs: 0 });
  });

  test('is remembered while fewer than 10,000 others are asked for, and forgotten in the end', () => {
    const { book, clock } = openBook();
    const ask = (count: number, name: string): void => {
      for (let each = 0; each < count; each++) {
        book.asked({ ...attempt, call: { ...call, callId: `${name}-${each}` } });
      }
    };
    book.asked(attempt);
    book.unanswered(attempt);
    clock.now = 100;
    ask(9_999, 'first');
    expect(book.unanswered(attempt).forMs).toBe(100);
    ask(30_000, 'second');
    expect(book.unanswered(attempt).forMs).toBe(0);
  });
});

test('a worker reports an attempt if it has this one, a later one or a later replay', () => {
  expect(concerns(report, attempt)).toBe(true);
  expect(concerns({ generation: 0, retry: 2 }, attempt)).toBe(true);
  expect(concerns({ generation: 1, retry: 0 }, attempt)).toBe(true);
  expect(concerns({ generation: 0, retry: 0 }, attempt)).toBe(false);
  expect(concerns({ generation: 0, retry: 5 }, { generation: 1, retry: 0 })).toBe(false);
});
