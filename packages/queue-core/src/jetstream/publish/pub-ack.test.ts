import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parsePubAck } from './pub-ack.ts';

test('a sequence means stored', () => {
  expect(parsePubAck('{"stream":"CALLS_default","seq":7}', 0)).toEqual({
    kind: 'stored',
    sequence: 7,
    duplicate: false,
  });
});

test('a message that was stored before is stored, and reported as a duplicate', () => {
  expect(parsePubAck('{"stream":"S","domain":"hub","seq":7,"duplicate":true}', 0)).toMatchObject({ duplicate: true });
});

test('an answer without a stream behind it is unavailable', () => {
  expect(parsePubAck('', 503)).toMatchObject({ kind: 'refused', reason: 'unavailable' });
});

test.each([
  [10077, 'queue_full'],
  [10047, 'queue_full'],
  [10054, 'too_large'],
  [10097, 'too_large'],
  [10071, 'conflict'],
  [10164, 'undecided'],
  [10167, 'overloaded'],
  [10008, 'unavailable'],
  [99999, 'unavailable'],
])('error %d of JetStream is %s', (code, reason) => {
  const payload = JSON.stringify({
    error: { code: 400, err_code: code, description: 'what it says' },
    stream: 'S',
    seq: 0,
  });
  expect(parsePubAck(payload, 0)).toEqual({ kind: 'refused', reason, detail: `what it says (${code})` });
});

test.each(['', 'null', '[]', '7', '"ok"', '{}', '{"seq":"7"}', '{"error":{}}', 'not json'])(
  '%j is not a PubAck',
  (text) => {
    expect(parsePubAck(text, 0)).toMatchObject({ kind: 'refused', reason: 'unavailable' });
  },
);

test('only an answer with a sequence and no error ever counts as stored (P1)', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json()), fc.nat(), (payload, status) => {
      expect(parsePubAck(payload, status).kind).toBe('refused');
    }),
  );
});
