import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Call } from '../call/call.ts';
import { keySubject } from '../call/subjects.ts';
import { fingerprintOf, hashKey, isIdempotencyKey, keyRecordCodec, toKeyRecord } from './idempotency-key.ts';

const visible = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
const keys = fc.string({ unit: visible, minLength: 1, maxLength: 255 });
const names = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}(\.[A-Za-z0-9_-]{1,20})?$/);
const owners = fc.record({ function: names, submitter: fc.constantFrom('ci', 'web') }, { requiredKeys: ['function'] });
const target = fc.string({ unit: visible, maxLength: 20 });
const asked = fc.record({ path: target, query: target, body: fc.uint8Array({ maxLength: 50 }) });

const call: Call = {
  id: 'c-1',
  function: 'echo',
  queue: 'default',
  path: '/a',
  query: 'b=c',
  headers: [['Authorization', 'secret']],
  startTime: '1700000000123456789',
  retry: 0,
  body: new Uint8Array([1, 2]),
};

test('a key is 1 to 255 visible ASCII characters', () => {
  fc.assert(fc.property(keys, (key) => isIdempotencyKey(key)));
  const hidden = fc.integer({ min: 0, max: 0xff }).filter((code) => code <= 0x20 || code >= 0x7f);
  fc.assert(
    fc.property(target, hidden, target, (before, code, after) => {
      expect(isIdempotencyKey(`${before}${String.fromCharCode(code)}${after}`)).toBe(false);
    }),
  );
  expect(['', 'x'.repeat(256)].map(isIdempotencyKey)).toEqual([false, false]);
});

test('every key of every function and submitter has a subject of its own, which does not reveal it (P7, P9)', () => {
  fc.assert(
    fc.property(owners, keys, owners, keys, (oneOwner, one, otherOwner, other) => {
      const subject = keySubject('default', hashKey(oneOwner, one));
      expect(subject).toMatch(/^calls\.default\.key\.[0-9a-f]{64}$/);
      const isSame = one === other && JSON.stringify(oneOwner) === JSON.stringify(otherOwner);
      expect(subject === keySubject('default', hashKey(otherOwner, other))).toBe(isSame);
    }),
  );
});

test.each(['', '*', 'a.b', 'A'.repeat(64), 'a'.repeat(63)])('%j is not a hash of a key', (hash) => {
  expect(() => keySubject('default', hash)).toThrow(TypeError);
});

test('two calls make the same request if sub-path, query and body are the same', () => {
  fc.assert(
    fc.property(asked, asked, (one, other) => {
      const isSame = one.path === other.path && one.query === other.query && Buffer.compare(one.body, other.body) === 0;
      expect(fingerprintOf(one) === fingerprintOf(other)).toBe(isSame);
      expect(fingerprintOf({ ...call, ...one })).toBe(fingerprintOf(one));
    }),
  );
});

test('the record has the id of the call, and nothing of its content (P9)', () => {
  const text = keyRecordCodec.encode(toKeyRecord({ ...call, notBefore: 5 }));
  const { id: callId, startTime } = call;
  expect(keyRecordCodec.decode(text)).toEqual({
    v: 1,
    callId,
    startTime,
    notBefore: 5,
    fingerprint: fingerprintOf(call),
  });
  expect(text).not.toContain('secret');
});
