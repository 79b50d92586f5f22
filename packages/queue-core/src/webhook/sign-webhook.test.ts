import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signWebhook } from './sign-webhook.ts';
import { createSigningSecret, parseSigningSecret } from './signing-secret.ts';

function keyOf(secret: string): Uint8Array {
  return parseSigningSecret(secret)!;
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

test("the specification's example has the specification's signature", () => {
  const body = Buffer.from('{"test": 2432232314}');
  const message = { id: 'msg_p5jXN8AQM9LWM0D4loKWxJek', timestampSeconds: 1614265330, body };
  expect(signWebhook([keyOf('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')], message)).toEqual({
    'webhook-id': 'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp': '1614265330',
    'webhook-signature': 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  });
});

test('every secret signs, newest first', () => {
  const secrets = [createSigningSecret(), createSigningSecret()];
  const message = { id: 'call-1', timestampSeconds: 1614265330, body: Buffer.from('x') };
  const each = secrets.map((secret) => signWebhook([keyOf(secret)], message)['webhook-signature']);
  expect(signWebhook(secrets.map(keyOf), message)['webhook-signature']).toBe(each.join(' '));
});

test('the public package verifies with any of the secrets, and with no other', () => {
  const secrets = [createSigningSecret(), createSigningSecret(), createSigningSecret()];
  const body = Buffer.from('{"a":1}');
  const headers = { ...signWebhook(secrets.map(keyOf), { id: 'call-1', timestampSeconds: nowSeconds(), body }) };
  for (const secret of secrets) {
    expect(new Webhook(secret).verify(body, headers)).toEqual({ a: 1 });
  }
  expect(() => new Webhook(createSigningSecret()).verify(body, headers)).toThrow('No matching signature');
});

test('the public package verifies any text as the body, including control characters', () => {
  const secret = createSigningSecret();
  const webhook = new Webhook(secret);
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const body = Buffer.from(text);
      const headers = { ...signWebhook([keyOf(secret)], { id: 'call-1', timestampSeconds: nowSeconds(), body }) };
      expect(webhook.verify(body, headers, { jsonParse: false })).toBeUndefined();
    }),
  );
});

test('bodies that differ only in bytes that are not text have different signatures', () => {
  const key = keyOf(createSigningSecret());
  const of = (byte: number) => signWebhook([key], { id: 'a', timestampSeconds: 1, body: Buffer.of(byte) });
  expect(of(0xff)['webhook-signature']).not.toBe(of(0xfe)['webhook-signature']);
});

test.each([
  { id: 'a.1', timestampSeconds: 1 },
  { id: 'a', timestampSeconds: 1.5 },
  { id: 'a', timestampSeconds: Number.NaN },
])('%j is not signed', (message) => {
  expect(() => signWebhook([keyOf(createSigningSecret())], { ...message, body: Buffer.of() })).toThrow(TypeError);
});
