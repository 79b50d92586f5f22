import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { addressOf, type CallIdentity, isSameCall, ownerOf } from './call-identity.ts';
import {
  callFilter,
  callPattern,
  callSubject,
  consumerFunction,
  flowEntryFilter,
  flowEntrySubject,
  flowNoticeSubject,
  flowStateSubject,
  functionConsumer,
  functionFilter,
  keySubject,
  parseCallSubject,
  parseFlowEntry,
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
const submitter = fc.option(fc.stringMatching(/^[A-Za-z0-9._-]{1,63}$/), { nil: undefined });
const startTime = fc.stringMatching(/^[0-9]{1,20}$/);
const identity = fc.record({ callId, submitter, startTime }).map(({ submitter: name, ...call }): CallIdentity => {
  return name === undefined ? call : { ...call, submitter: name };
});
const readiness = fc.constantFrom('ready' as const, 'later' as const, 'wait' as const);

/** Names that an attacker would send to break out. */
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
    const of = {
      queue: 'images',
      readiness: 'ready',
      function: 'thumbnail.prod',
      callId: 'c-1',
      startTime: '17',
    } as const;
    expect(callSubject(of)).toBe('calls.images.ready.prod.thumbnail.c-1.~.17');
    expect(callSubject({ ...of, function: 'thumbnail' })).toBe('calls.images.ready.~.thumbnail.c-1.~.17');
    expect(callSubject({ ...of, submitter: 'team.a' })).toBe('calls.images.ready.prod.thumbnail.c-1.team=a.17');
  });

  test('round-trips every valid queue, function and call', () => {
    fc.assert(
      fc.property(part, readiness, functionName, identity, (queue, ready, name, call) => {
        const of = { queue, readiness: ready, function: name, ...call };
        expect(parseCallSubject(callSubject(of))).toEqual(of);
      }),
    );
  });

  test('is refused or has eight tokens without a wildcard, whatever a client sends (P7)', () => {
    const anything = fc.oneof(part, hostile);
    const call = fc.record({
      callId: anything,
      submitter: anything,
      startTime: fc.oneof(startTime, hostile),
    });
    fc.assert(
      fc.property(anything, readiness, anything, call, (queue, ready, name, named) => {
        const of = { queue, readiness: ready, function: name, ...named };
        const subject = tryCall(() => callSubject(of));
        if (subject !== undefined) {
          expect(subject.split('.')).toHaveLength(8);
          expect(subject).toMatch(/^[A-Za-z0-9_.~=-]+$/);
          expect(parseCallSubject(subject)).toEqual(of);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('does not confuse a function with one in a namespace', () => {
    const of = { queue: 'q', readiness: 'ready', callId: 'c', startTime: '1' } as const;
    const subjects = ['a', 'a.b', 'b.a', 'b'].map((name) => callSubject({ ...of, function: name }));
    expect(new Set(subjects).size).toBe(4);
  });

  test('differs for every other call', () => {
    const lane = { queue: 'q', readiness: 'ready', function: 'f' } as const;
    fc.assert(
      fc.property(identity, identity, (a, b) => {
        const isSame = callSubject({ ...lane, ...a }) === callSubject({ ...lane, ...b });
        expect(isSame).toBe(isSameCall(a, b));
      }),
    );
  });
});

test.each([
  '',
  'calls.q.ready.~.f',
  'calls.q.ready.~.f.id',
  'calls.q.ready.~.f.id.~.1.more',
  'calls.q.ready.~.f.id.~.later',
  'calls.q.ready.~.f.id.a b.1',
  'calls.q.soon.~.f.id.~.1',
  'outcomes.q.ready.~.f.id.~.1',
  '$JS.ACK.s.c.1.2.3.4.5',
])('%j is no call subject', (subject) => {
  expect(parseCallSubject(subject)).toBeUndefined();
});

test('the filter of a function has wildcards only in place of the call', () => {
  expect(functionFilter('q', 'f')).toBe('calls.q.ready.~.f.*.*.*');
  expect(() => functionFilter('q', '*')).toThrow(TypeError);
  fc.assert(
    fc.property(hostile, hostile, (queue, name) => {
      const filter = tryCall(() => functionFilter(queue, name));
      if (filter !== undefined) {
        expect(filter).toMatch(/^calls\.[\w-]+\.ready\.[\w~-]+\.[\w-]+(\.\*){3}$/);
      }
    }),
  );
});

describe('a pattern', () => {
  /** Names that are also tokens of a subject, or are as long as possible, drawn often enough to meet. */
  const awkward = fc.constantFrom('ready', 'later', 'key', 'calls', '0', '7', '-', '_', '__proto__', 'a'.repeat(63));
  const name = fc.oneof(
    awkward,
    fc.tuple(awkward, awkward).map(([one, namespace]) => `${one}.${namespace}`),
  );
  const call = fc.record({
    callId: awkward,
    submitter: fc.constantFrom('ready', 'later.ready', '0'),
    startTime: fc.constantFrom('0', '7'),
  });
  const of = fc.tuple(fc.record({ queue: awkward, readiness, function: name }), call).map(([lane, identity]) => {
    return { ...lane, ...identity };
  });

  /** Matches like nats-server, where `*` is one token. */
  function matches(pattern: string, subject: string): boolean {
    const [wanted, tokens] = [pattern.split('.'), subject.split('.')];
    return wanted.length === tokens.length && wanted.every((token, at) => token === '*' || token === tokens[at]);
  }

  test('matches its calls and no others, whatever the queues, functions and calls', () => {
    const anyOr = <T>(values: fc.Arbitrary<T>) => fc.oneof(fc.constant('*' as const), values);
    const wishes = { queue: awkward, readiness: anyOr(readiness), function: anyOr(name) };
    fc.assert(
      fc.property(of, fc.record(wishes), anyOr(call), (one, wanted, other) => {
        const fits = (['queue', 'readiness', 'function'] as const).every(
          (part) => wanted[part] === '*' || wanted[part] === one[part],
        );
        const pattern = callPattern({ ...wanted, call: other === '*' ? '*' : addressOf(other) });
        expect(matches(pattern, callSubject(one))).toBe(fits && (other === '*' || isSameCall(other, one)));
      }),
      { numRuns: 10_000 },
    );
  });

  test('with a name of its own matches what its name says', () => {
    fc.assert(
      fc.property(of, of, (one, { queue, function: other, callId: id, submitter: whose }) => {
        const subject = callSubject(one);
        const [here, ready] = [one.queue === queue, one.readiness === 'ready'];
        expect(matches(callFilter(queue, { callId: id }), subject)).toBe(here && one.callId === id);
        expect(matches(callFilter(queue, { callId: id, owner: ownerOf(whose) }), subject)).toBe(
          here && one.callId === id && one.submitter === whose,
        );
        expect(matches(functionFilter(queue, other), subject)).toBe(here && one.function === other && ready);
        const isLater = one.readiness === 'later';
        expect(matches(scheduledFilter(queue, other), subject)).toBe(here && one.function === other && isLater);
        expect(matches(scheduledFilter(queue), subject)).toBe(here && isLater);
        expect(matches(waitingFilter(queue, other), subject)).toBe(here && one.function === other);
        expect(matches(waitingFilter(queue), subject)).toBe(here);
        expect(queueSubjects(queue).filter((each) => matches(each, subject))).toHaveLength(here ? 1 : 0);
      }),
      { numRuns: 10_000 },
    );
  });

  test('of calls matches no key', () => {
    fc.assert(
      fc.property(awkward, awkward, (queue, other) => {
        const key = keySubject(queue, '0'.repeat(64));
        expect(matches(waitingFilter(other), key)).toBe(false);
        expect(queueSubjects(other).some((each) => matches(each, key))).toBe(queue === other);
      }),
    );
  });

  test('is refused or has eight tokens, whatever a client sends (P7)', () => {
    fc.assert(
      fc.property(hostile, hostile, hostile, hostile, hostile, (queue, other, id, owner, startTime) => {
        const address = { callId: id, owner, startTime };
        const made = tryCall(() => callPattern({ queue, readiness: '*', function: other, call: address }));
        const tokens = /^calls\.[\w-]+\.\*\.(\*\.\*|[\w~-]+\.[\w-]+)\.[\w-]+\.(\*|~|[\w=-]+)\.(\*|\d+)$/;
        expect(made ?? 'calls.q.*.*.*.id.*.*').toMatch(tokens);
      }),
    );
  });
});

test('the name and the subjects of a stream depend on its queue alone', () => {
  expect(queueStream('q')).toBe('CALLS_q');
  const subjects = [
    'calls.q.*.*.*.*.*.*',
    'calls.q.key.*',
    'flows.q.flow.*',
    'flows.q.notice.*',
    'flows.q.turn.*.*.*.*',
  ];
  expect(queueSubjects('q')).toEqual(subjects);
  fc.assert(
    fc.property(hostile, (queue) => {
      expect(tryCall(() => queueStream(queue)) ?? 'CALLS_').toMatch(/^CALLS_[\w-]*$/);
      expect(tryCall(() => queueSubjects(queue))?.[0] ?? 'calls.q.').toMatch(/^calls\.[\w-]+\./);
    }),
  );
});

test('a stream of ours names its queue, any other does not', () => {
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
  test('round-trips the function in its name', () => {
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

  test('cannot be named after an invalid function name', () => {
    expect(() => functionConsumer('a.b.c')).toThrow(TypeError);
  });
});

test('what belongs to a flow key has a subject that cannot break out of its token', () => {
  const id = 'abcdefghijklmnopqrst-_';
  const entry = flowEntrySubject('q', id, { callId: 'c', submitter: 'a.b', startTime: '1' });
  expect(entry).toBe(`flows.q.turn.${id}.c.a=b.1`);
  expect(parseFlowEntry(entry)).toEqual({ callId: 'c', submitter: 'a.b', startTime: '1' });
  expect(flowEntryFilter('q', id)).toBe(`flows.q.turn.${id}.*.*.*`);
  expect([parseCallSubject(entry), parseFlowEntry('calls.q.ready.~.f.c.~.1')]).toEqual([undefined, undefined]);
  expect(flowStateSubject('q', id)).toBe(`flows.q.flow.${id}`);
  expect(flowNoticeSubject('q', id)).toBe(`flows.q.notice.${id}`);
  expect([flowStateSubject('q', '*'), flowNoticeSubject('q', '*')]).toEqual(['flows.q.flow.*', 'flows.q.notice.*']);
  for (const bad of ['', 'short', '>', `${id}.`, 'abcdefghijklmnopqrst.*', 'abcdefghijklmnopqrst>>']) {
    expect(() => flowEntryFilter('q', bad)).toThrow(TypeError);
    expect(() => flowStateSubject('q', bad)).toThrow(TypeError);
    expect(() => flowNoticeSubject('q', bad)).toThrow(TypeError);
  }
});
