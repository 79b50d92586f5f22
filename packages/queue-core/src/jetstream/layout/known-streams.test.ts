import { expect, test } from 'vitest';
import { KnownStreams, type StreamSight } from './known-streams.ts';

const first: StreamSight = { name: 'CALLS_default', created: '2026-01-01T00:00:00Z', held: 20, lastSequence: 30 };
const another = { ...first, created: '2026-01-02T00:00:00Z' };

test('a stream that is seen for the first time, or again, is not lost', () => {
  const known = new KnownStreams();
  expect([known.note(first), known.note({ ...first, held: 0 })]).toEqual([undefined, undefined]);
});

test('a stream that another one of its name has replaced is lost with its content', () => {
  const known = new KnownStreams();
  known.note(first);
  expect(known.note({ ...another, held: 1, lastSequence: 1 })).toEqual({ stream: 'CALLS_default', held: 20 });
  expect(known.note({ ...another, held: 2, lastSequence: 2 })).toBeUndefined();
});

test('a stream that was restored whole is not lost, and one from an older copy is', () => {
  const known = new KnownStreams();
  known.note(first);
  expect(known.note(another)).toBeUndefined();
  expect(known.note({ ...first, lastSequence: 29 })).toEqual({ stream: 'CALLS_default', held: 20 });
});

test('a stream that no longer exists is lost once', () => {
  const known = new KnownStreams();
  known.note(first);
  known.note({ ...first, name: 'OUTCOMES' });
  expect(known.missingFrom(new Set(['OUTCOMES', 'OTHER']))).toEqual(['CALLS_default']);
  expect([known.lose('CALLS_default'), known.lose('CALLS_default')]).toEqual([
    { stream: 'CALLS_default', held: 20 },
    undefined,
  ]);
  expect(known.missingFrom(new Set(['OUTCOMES']))).toEqual([]);
});
