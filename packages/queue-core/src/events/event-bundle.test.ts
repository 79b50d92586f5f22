import { expect, test } from 'vitest';
import type { CallEvent } from './call-event.ts';
import { decodeEventBundle, EventBundle, otherFunctions } from './event-bundle.ts';

function event(name: string, id = 'call'): CallEvent {
  const call = {
    v: 1 as const,
    id,
    function: name,
    queue: 'q',
    path: '',
    query: '',
    headers: [],
    startTime: '1700000000000000000',
    retry: 0,
  };
  return { kind: 'accepted', active: { phase: 'queued', call } };
}

function taken(bundle: EventBundle) {
  const { events, missed, from, sequence } = decodeEventBundle(bundle.take('process', 7)) ?? {};
  return { ids: events?.map(({ active }) => active?.call.id), missed, from, sequence };
}

test('a bundle has as many events as may be in it, one function half of them, and the number of the others', () => {
  const bundle = new EventBundle({ events: 4, bytes: 10_000 });
  for (const id of ['a1', 'a2', 'a3']) {
    bundle.add('a', () => event('a', id));
  }
  for (const id of ['b1', 'b2', 'b3']) {
    bundle.add('b', () => event('b', id));
  }
  bundle.add('c', () => {
    throw new Error('an event without room is not made');
  });
  expect(taken(bundle)).toEqual({
    ids: ['a1', 'a2', 'b1', 'b2'],
    missed: { a: 1, b: 1, c: 1 },
    from: 'process',
    sequence: 7,
  });
  expect(bundle.isEmpty).toBe(true);
  bundle.add('a', () => event('a', 'next'));
  expect(taken(bundle)).toMatchObject({ ids: ['next'], missed: {} });
});

test('a bundle has no more bytes than may be in it', () => {
  const bytes = 2.5 * JSON.stringify(event('a')).length;
  const bundle = new EventBundle({ events: 100, bytes });
  for (let index = 0; index < 5; index++) {
    bundle.add('a', () => event('a'));
  }
  expect(taken(bundle)).toMatchObject({ ids: ['call', 'call'], missed: { a: 3 } });
});

test('events of ever more functions are counted together', () => {
  const bundle = new EventBundle({ events: 0, bytes: 0 });
  for (let index = 0; index < 300; index++) {
    bundle.miss(`function-${index}`);
  }
  const { missed = {} } = taken(bundle);
  expect(Object.keys(missed)).toHaveLength(257);
  expect(missed[otherFunctions]).toBe(44);
});

test.each(['', 'null', '{}', '{"v":1,"from":"a","sequence":1,"missed":{},"events":[{"kind":"other"}]}'])(
  '%s is no bundle',
  (text) => {
    expect(decodeEventBundle(text)).toBeUndefined();
  },
);
