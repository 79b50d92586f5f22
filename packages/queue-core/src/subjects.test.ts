import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  callFilter,
  callPattern,
  callSubject,
  consumerFunction,
  functionConsumer,
  functionFilter,
  keySubject,
  parseCallSubject,
  queueStream,
  queueSubjects,
  scheduledFilter,
  streamQueue,
  waitingFilter,
} from './subjects.ts';

const part = fc.stringMatching(/^[A-Za-z0-9_-]{1,63}$/);
const functionName = fc.oneof(
  part,
  fc.tuple(part, part).map(([name, namespace]) => `${name}.${namespace}`),
);
const callId = fc.stringMatching(/^[A-Za-z0-9_-]{1,128}$/);
const readiness = fc.constantFrom('ready' as const, 'later' as const);

/** What somebody who wants to break out would send. */
const hostile = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('a', '.', '*', '>', ' ', '\r', '\n', '\0', '~', '@', '$') }),
  fc.constantFrom('>', '*', 'a.>', '', 'a'.repeat(10_000), 'calls.x', '~'),
);

function tryCall<T>(make: () => T): T | undefined {
  try {
    return make();
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return undefined;
  }
}

describe('a call subject', () => {
  test('says what it was made of', () => {
    const of = { queue: 'images', readiness: 'ready', function: 'thumbnail.prod', callId: 'c-1' } as const;
    expect(callSubject(of)).toBe('calls.images.ready.prod.thumbnail.c-1');
    expect(callSubject({ ...of, function: 'thumbnail' })).toBe('calls.images.ready.~.thumbnail.c-1');
  });

  test('round-trips every valid queue, function and call id', () => {
    fc.assert(
      fc.property(part, readiness, functionName, callId, (queue, ready, name, id) => {
        const of = { queue, readiness: ready, function: name, callId: id };
        expect(parseCallSubject(callSubject(of))).toEqual(of);
      }),
    );
  });

  test('is refused or has six tokens without a wildcard, whatever a client sends (P7)', () => {
    const anything = fc.oneof(part, hostile);
    fc.assert(
      fc.property(anything, readiness, anything, anything, (queue, ready, name, id) => {
        const of = { queue, readiness: ready, function: name, callId: id };
        const subject = tryCall(() => callSubject(of));
        if (subject !== undefined) {
          expect(subject.split('.')).toHaveLength(6);
          expect(subject).toMatch(/^[A-Za-z0-9_.~-]+$/);
          expect(parseCallSubject(subject)).toEqual(of);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('does not take a function for that of a namespace, nor the reverse', () => {
    const of = { queue: 'q', readiness: 'ready', callId: 'c' } as const;
    const subjects = ['a', 'a.b', 'b.a', 'b'].map((name) => callSubject({ ...of, function: name }));
    expect(new Set(subjects).size).toBe(4);
  });
});

test.each([
  '',
  'calls.q.ready.~.f',
  'calls.q.ready.~.f.id.more',
  'calls.q.soon.~.f.id',
  'outcomes.q.ready.~.f.id',
  '$JS.ACK.s.c.1.2.3.4.5',
])('%j is no call subject', (subject) => {
  expect(parseCallSubject(subject)).toBeUndefined();
});

test('the filter of a function has one wildcard, in the place of the call id', () => {
  expect(functionFilter('q', 'f')).toBe('calls.q.ready.~.f.*');
  expect(() => functionFilter('q', '*')).toThrow(TypeError);
  fc.assert(
    fc.property(hostile, hostile, (queue, name) => {
      const filter = tryCall(() => functionFilter(queue, name));
      if (filter !== undefined) {
        expect(filter).toMatch(/^calls\.[\w-]+\.ready\.[\w~-]+\.[\w-]+\.\*$/);
      }
    }),
  );
});

describe('a pattern', () => {
  /** Names that a subject has as tokens of its own, or that are as long as may be, drawn often enough to meet. */
  const awkward = fc.constantFrom('ready', 'later', 'key', 'calls', '0', '7', '-', '_', '__proto__', 'a'.repeat(63));
  const name = fc.oneof(
    awkward,
    fc.tuple(awkward, awkward).map(([one, namespace]) => `${one}.${namespace}`),
  );
  const of = fc.record({ queue: awkward, readiness, function: name, callId: awkward });

  /** As nats-server matches where `*` stands for one token. */
  function matches(pattern: string, subject: string): boolean {
    const [wanted, tokens] = [pattern.split('.'), subject.split('.')];
    return wanted.length === tokens.length && wanted.every((token, at) => token === '*' || token === tokens[at]);
  }

  test('fits the calls that it names and no others, whatever queues, functions and calls are named', () => {
    const anyOr = <T>(values: fc.Arbitrary<T>) => fc.oneof(fc.constant('*' as const), values);
    const wishes = { queue: awkward, readiness: anyOr(readiness), function: anyOr(name), callId: anyOr(awkward) };
    fc.assert(
      fc.property(of, fc.record(wishes), (call, wanted) => {
        const fits = (['queue', 'readiness', 'function', 'callId'] as const).every(
          (part) => wanted[part] === '*' || wanted[part] === call[part],
        );
        expect(matches(callPattern(wanted), callSubject(call))).toBe(fits);
      }),
      { numRuns: 10_000 },
    );
  });

  test('that is used by name fits what its name says', () => {
    fc.assert(
      fc.property(of, of, (call, { queue, function: other, callId: id }) => {
        const subject = callSubject(call);
        const [here, ready] = [call.queue === queue, call.readiness === 'ready'];
        expect(matches(callFilter(queue, id), subject)).toBe(here && call.callId === id);
        expect(matches(functionFilter(queue, other), subject)).toBe(here && call.function === other && ready);
        expect(matches(scheduledFilter(queue, other), subject)).toBe(here && call.function === other && !ready);
        expect(matches(scheduledFilter(queue), subject)).toBe(here && !ready);
        expect(matches(waitingFilter(queue, other), subject)).toBe(here && call.function === other);
        expect(matches(waitingFilter(queue), subject)).toBe(here);
        expect(queueSubjects(queue).filter((each) => matches(each, subject))).toHaveLength(here ? 1 : 0);
      }),
      { numRuns: 10_000 },
    );
  });

  test('of calls fits no key', () => {
    fc.assert(
      fc.property(awkward, awkward, (queue, other) => {
        const key = keySubject(queue, '0'.repeat(64));
        expect(matches(waitingFilter(other), key)).toBe(false);
        expect(queueSubjects(other).some((each) => matches(each, key))).toBe(queue === other);
      }),
    );
  });

  test('is refused or has six tokens, whatever a client sends (P7)', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, (queue, other, id) => {
        const made = tryCall(() => callPattern({ queue, readiness: '*', function: other, callId: id }));
        const sixTokens = /^calls\.[\w-]+\.\*\.(\*\.\*|[\w~-]+\.[\w-]+)\.(\*|[\w-]+)$/;
        expect(made ?? 'calls.q.*.*.*.*').toMatch(sixTokens);
      }),
    );
  });
});

test('a stream is named and fed by its queue alone', () => {
  expect(queueStream('q')).toBe('CALLS_q');
  expect(queueSubjects('q')).toEqual(['calls.q.ready.*.*.*', 'calls.q.later.*.*.*', 'calls.q.key.*']);
  fc.assert(
    fc.property(hostile, (queue) => {
      expect(tryCall(() => queueStream(queue)) ?? 'CALLS_').toMatch(/^CALLS_[\w-]*$/);
      expect(tryCall(() => queueSubjects(queue))?.[0] ?? 'calls.q.').toMatch(/^calls\.[\w-]+\./);
    }),
  );
});

test('a stream of ours names its queue, another does not', () => {
  fc.assert(
    fc.property(part, (queue) => {
      expect(streamQueue(queueStream(queue))).toBe(queue);
    }),
  );
  for (const stream of ['', 'CALLS', 'CALLS_', 'CALLS_a b', 'OUTCOMES', 'calls_q', 'xCALLS_q']) {
    expect(streamQueue(stream)).toBeUndefined();
  }
});

describe('a consumer', () => {
  test('round-trips the function that it is named after', () => {
    expect(functionConsumer('thumbnail.prod')).toBe('thumbnail@prod');
    fc.assert(
      fc.property(functionName, (name) => {
        expect(consumerFunction(functionConsumer(name))).toBe(name);
        expect(functionConsumer(name)).toMatch(/^[\w@-]+$/);
      }),
    );
  });

  test.each(['', '@', 'a@', '@a', 'a@b@c', 'a.b', 'a b'])('named %j is not ours', (consumer) => {
    expect(consumerFunction(consumer)).toBeUndefined();
  });

  test('cannot be named after what is no function', () => {
    expect(() => functionConsumer('a.b.c')).toThrow(TypeError);
  });
});
