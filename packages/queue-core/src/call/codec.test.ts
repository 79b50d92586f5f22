import { headers } from '@nats-io/transport-node';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from './call.ts';
import { callHeader, decodeCall, encodeEnvelope } from './codec.ts';

const latin1 = fc.integer({ min: 0, max: 0xff }).map((code) => String.fromCharCode(code));
const latin1Text = fc.string({ unit: latin1, maxLength: 200 });
const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,60}$/);

const attempt = fc.record(
  {
    attempt: fc.integer({ min: 1 }),
    startedAt: fc.nat(),
    durationMs: fc.nat(),
    status: fc.integer({ min: 100, max: 599 }),
    error: latin1Text,
    verdict: token,
    retryAt: fc.nat(),
    worker: token,
  },
  { requiredKeys: ['attempt', 'startedAt', 'verdict'] },
);

const calls: fc.Arbitrary<Call> = fc.record(
  {
    id: token,
    function: token,
    queue: token,
    path: latin1Text,
    query: latin1Text,
    headers: fc.array(fc.tuple(latin1Text, latin1Text), { maxLength: 30 }),
    callbackUrl: fc.webUrl(),
    labels: fc.array(fc.stringMatching(/^[A-Za-z0-9._=:-]{1,64}$/), { minLength: 1, maxLength: 10 }),
    notBefore: fc.nat(),
    expiresAt: fc.nat(),
    startTime: fc.bigInt({ min: 0n, max: 10n ** 19n }).map(String),
    retry: fc.nat(),
    history: fc.array(attempt, { maxLength: 5 }),
    body: fc.uint8Array({ maxLength: 1_000 }),
  },
  { requiredKeys: ['id', 'function', 'queue', 'path', 'query', 'headers', 'startTime', 'retry', 'body'] },
);

const call: Call = {
  id: 'c-1',
  function: 'thumbnail.prod',
  queue: 'default',
  path: '/a/b',
  query: 'x=1',
  headers: [['Content-Type', 'image/png']],
  startTime: '1700000000123456789',
  retry: 0,
  body: new Uint8Array([0, 255]),
};

const envelopeOf = (changes: object) => JSON.stringify({ ...(JSON.parse(encodeEnvelope(call)) as object), ...changes });

function problemOf(header: string): string {
  const decoded = decodeCall(header, new Uint8Array());
  return decoded.kind === 'undecodable' ? decoded.problem : '';
}

test('every call is decoded as it was, byte for byte', () => {
  fc.assert(
    fc.property(calls, (original) => {
      expect(decodeCall(encodeEnvelope(original), original.body)).toEqual({ kind: 'call', call: original });
    }),
  );
});

test('an envelope is a NATS header value that the client encodes and decodes unchanged (P7)', () => {
  fc.assert(
    fc.property(calls, (original) => {
      const message = headers();
      message.set(callHeader, encodeEnvelope(original));
      expect(message.get(callHeader)).toBe(encodeEnvelope(original));
      expect(message.keys()).toEqual([callHeader]);
    }),
  );
});

test('no header that a client sends becomes one of the message (P7)', () => {
  const hostile: Call = { ...call, headers: [['Nats-Rollup', 'all\r\nNats-Msg-Id: x']] };
  expect(encodeEnvelope(hostile)).not.toMatch(/[\r\n]/);
});

test('the body is not in the envelope', () => {
  expect(Object.keys(JSON.parse(encodeEnvelope(call)) as object)).not.toContain('body');
});

test('no message on a stream makes decoding throw, or passes for a call that it is not', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        fc.json().map((json) => `{"v":1,"headers":${json}}`),
      ),
      (header) => {
        expect(decodeCall(header, new Uint8Array()).kind).toBe('undecodable');
      },
    ),
  );
});

test('nesting without end is refused as well', () => {
  expect(problemOf('['.repeat(60_000))).toBe('Asyncfn-Call is not JSON');
  expect(problemOf(`${'['.repeat(30_000)}${']'.repeat(30_000)}`)).toContain('wrong shape');
});

test.each([
  ['no envelope', '', 'no Asyncfn-Call header'],
  ['text', 'hello', 'Asyncfn-Call is not JSON'],
  ['a version to come', envelopeOf({ v: 3 }), '/v'],
  ['a call id that could be a wildcard', envelopeOf({ id: 'a.>' }), '/id'],
  ['an attempt before the first', envelopeOf({ retry: -1 }), '/retry'],
  ['a header without a value', envelopeOf({ headers: [['a', 'b'], ['c']] }), '/headers/1'],
  ['a time that is none', envelopeOf({ startTime: 'now' }), '/startTime'],
])('%s is undecodable, and the problem names where', (_, header, problem) => {
  expect(problemOf(header)).toContain(problem);
});

test('a problem names fields, never values (P9)', () => {
  const secret = 'Bearer-s3cr3t';
  const broken = envelopeOf({ id: `${secret}.`, headers: [['Authorization', secret, secret]], startTime: secret });
  expect(problemOf(broken)).toContain('/headers');
  expect(problemOf(broken)).not.toContain(secret);
  expect(problemOf(`{"a": ${secret}`)).not.toContain(secret);
});

test('fields of a later version are kept, so that versions can run side by side', () => {
  const decoded = decodeCall(envelopeOf({ ofTheFuture: 5 }), call.body);
  expect(decoded).toEqual({ kind: 'call', call: { ...call, ofTheFuture: 5 } });
});

test('an attempt with a verdict and a field of a later version does not make its call unreadable', () => {
  const history = [{ attempt: 1, startedAt: 1, verdict: 'of-the-future', ofTheFuture: 5 }];
  expect(decodeCall(envelopeOf({ history }), call.body)).toEqual({ kind: 'call', call: { ...call, history } });
});

test('the body of a call is that of the message, whatever the envelope says', () => {
  const decoded = decodeCall(envelopeOf({ body: 'other' }), call.body);
  expect(decoded).toEqual({ kind: 'call', call });
});
