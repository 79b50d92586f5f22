import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { CallbackVerifier } from './callback-verifier.ts';
import { type CallFacts, noCallFacts, signCallback } from './sign-callback.ts';
import { createSigningSecret, parseSigningSecret } from './signing-secret.ts';
import type { SignatureVerdict } from './webhook-verifier.ts';

const now = Date.now();
const timestampSeconds = Math.floor(now / 1000);
const secrets = [createSigningSecret(), createSigningSecret()];
const keys = secrets.map((secret) => parseSigningSecret(secret)!);
const facts: CallFacts = { callId: 'call-1', functionName: 'thumbnail.team-a', functionStatus: '200' };
const body = Buffer.from('{"a":1}');

/** A signed callback as a receiver gets it. */
function received(changes: Record<string, string> = {}, of: CallFacts = facts): Record<string, string> {
  const signed = Object.entries(signCallback(keys, { ...of, timestampSeconds, body }));
  return {
    ...Object.fromEntries(signed.map(([name, value]) => [name.toLowerCase(), value])),
    'x-call-id': of.callId,
    'x-function-name': of.functionName,
    'x-function-status': of.functionStatus,
    ...changes,
  };
}

function verdictOf(headers: Record<string, string>, sent: Uint8Array = body): SignatureVerdict {
  const verifier = new CallbackVerifier(keys.slice(1), headers, now);
  verifier.update(sent);
  return verifier.verdict();
}

describe('the public package', () => {
  test('verifies a callback as any webhook, with each secret', () => {
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(body, received())).toEqual({ a: 1 });
    }
  });

  test('verifies the facts about its call, with the three facts as the id', () => {
    const headers = received();
    const id = [headers['x-call-id'], headers['x-function-name'], headers['x-function-status']].join('\n');
    const ofFacts = { ...headers, 'webhook-id': id, 'webhook-signature': headers['x-callback-signature'] ?? '' };
    for (const secret of secrets) {
      expect(new Webhook(secret).verify(body, ofFacts)).toEqual({ a: 1 });
    }
  });
});

test('both signatures are valid as they come', () => {
  expect(verdictOf(received())).toEqual({ kind: 'valid' });
});

test.each([
  ['x-function-status', '500'],
  ['x-function-name', 'thumbnail.team-b'],
  ['x-call-id', 'call-2'],
  ['x-callback-signature', 'v1,AAAA'],
])('another %s than was signed is found out', (name, value) => {
  expect(verdictOf(received({ [name]: value }))).toEqual({
    kind: 'invalid',
    reason: 'X-Callback-Signature: no signature matches',
  });
});

test('a changed body, and a callback without any signature, are reported as such', () => {
  expect(verdictOf(received(), Buffer.from('{"a":2}'))).toEqual({ kind: 'invalid', reason: 'no signature matches' });
  const { 'webhook-signature': _, 'x-callback-signature': __, ...none } = received();
  expect(verdictOf(none)).toEqual({ kind: 'none' });
});

test('a webhook that is not a callback of ours is verified as a webhook', () => {
  const { 'x-callback-signature': _, ...webhook } = received();
  expect(verdictOf(webhook)).toEqual({ kind: 'valid' });
});

test('neither signature passes for the other one, wherever the borders between id, time and body are set', () => {
  const text = fc.string({ unit: fc.constantFrom('a', '1', '.', '-', '{', String(timestampSeconds)), maxLength: 12 });
  const headers = received();
  const signed = `${facts.callId}\n${facts.functionName}\n${facts.functionStatus}.${timestampSeconds}.${body}`;
  fc.assert(
    fc.property(text, text, fc.nat(signed.length), (id, sent, cut) => {
      const { 'x-callback-signature': signature = '', ...rest } = headers;
      const webhook = { ...rest, 'webhook-signature': signature };
      expect(verdictOf({ ...webhook, 'webhook-id': id || 'x' }, Buffer.from(sent)).kind).toBe('invalid');
      const idWithoutFeed = signed.slice(0, cut).replaceAll('\n', ' ');
      const remainder = Buffer.from(signed.slice(cut));
      expect(verdictOf({ ...webhook, 'webhook-id': idWithoutFeed || 'x' }, remainder).kind).toBe('invalid');
    }),
  );
});

test('the callback of a batch, which names no call, is verified by the same code', () => {
  const signed = Object.entries(signCallback(keys, { ...noCallFacts, id: 'batch-1', timestampSeconds, body }));
  const headers = Object.fromEntries(signed.map(([name, value]) => [name.toLowerCase(), value]));
  expect(headers['webhook-id']).toBe('batch-1');
  expect(verdictOf(headers)).toEqual({ kind: 'valid' });
  expect(verdictOf({ ...headers, 'x-call-id': 'call-1' })).toMatchObject({ kind: 'invalid' });
});
