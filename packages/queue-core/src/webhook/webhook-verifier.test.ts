import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { signWebhook } from './sign-webhook.ts';
import { createSigningSecret, parseSigningSecret } from './signing-secret.ts';
import { type SignatureVerdict, WebhookVerifier } from './webhook-verifier.ts';

const now = Date.UTC(2026, 10, 22, 12, 0, 0);
const timestampSeconds = now / 1000;
const secret = createSigningSecret();
const key = parseSigningSecret(secret)!;
const otherKey = parseSigningSecret(createSigningSecret())!;
const body = Buffer.from([0xff, 0x00, 0x61]);
const signed = signWebhook([key], { id: 'call-1', timestampSeconds, body });

interface Case {
  readonly secrets?: readonly Uint8Array[];
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
}

function verdictOf({ secrets = [key], headers = { ...signed }, body: sent = body }: Case): SignatureVerdict {
  const verifier = new WebhookVerifier(secrets, headers, now);
  verifier.update(sent);
  return verifier.verdict();
}

function without(name: string): Record<string, string> {
  return Object.fromEntries(Object.entries(signed).filter(([each]) => each !== name));
}

test('a signature of ours is valid, whatever the bytes and in however many pieces they come', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 100 })), (chunks) => {
      const whole = Buffer.concat(chunks);
      const verifier = new WebhookVerifier(
        [key],
        { ...signWebhook([key], { id: 'a', timestampSeconds, body: whole }) },
        now,
      );
      for (const chunk of chunks) {
        verifier.update(chunk);
      }
      expect(verifier.verdict()).toEqual({ kind: 'valid' });
    }),
  );
});

test('a signature of the public package is valid', () => {
  const text = '{"ä":"\u{1f600}"}';
  const signature = new Webhook(secret).sign('call-1', new Date(now), text);
  expect(verdictOf({ headers: { ...signed, 'webhook-signature': signature }, body: Buffer.from(text) })).toEqual({
    kind: 'valid',
  });
});

test('while secrets rotate, one secret that both sides know is enough', () => {
  const both = signWebhook([otherKey, key], { id: 'call-1', timestampSeconds, body });
  expect(verdictOf({ headers: { ...both } })).toEqual({ kind: 'valid' });
  expect(verdictOf({ secrets: [otherKey, key] })).toEqual({ kind: 'valid' });
});

test('signatures of unknown versions are ignored', () => {
  const mixed = { ...signed, 'webhook-signature': `v1a,AAAA ${signed['webhook-signature']} v2,` };
  expect(verdictOf({ headers: mixed })).toEqual({ kind: 'valid' });
});

test('without a signature the verdict is none, whatever the other headers', () => {
  expect(verdictOf({ headers: without('webhook-signature') })).toEqual({ kind: 'none' });
  expect(verdictOf({ headers: {}, secrets: [] })).toEqual({ kind: 'none' });
});

test.each<[string, Case]>([
  ['no signature matches', { body: Buffer.from('other') }],
  ['no signature matches', { secrets: [otherKey] }],
  ['no signature matches', { headers: { ...signed, 'webhook-id': 'call-2' } }],
  ['no signature matches', { headers: { ...signed, 'webhook-timestamp': String(timestampSeconds + 1) } }],
  ['no signature matches', { headers: { ...signed, 'webhook-signature': 'v1,' } }],
  ['no signature matches', { headers: { ...signed, 'webhook-signature': `${signed['webhook-signature']}x` } }],
  ['no v1 signature', { headers: { ...signed, 'webhook-signature': 'v1a,AAAA' } }],
  ['webhook-id is missing', { headers: without('webhook-id') }],
  ['webhook-timestamp is not in Unix seconds', { headers: without('webhook-timestamp') }],
  ['webhook-timestamp is not in Unix seconds', { headers: { ...signed, 'webhook-timestamp': '1e9' } }],
  ['signed more than 5 minutes ago', { headers: { ...signed, 'webhook-timestamp': String(timestampSeconds - 301) } }],
  [
    'signed more than 5 minutes in the future',
    { headers: { ...signed, 'webhook-timestamp': String(timestampSeconds + 301) } },
  ],
  ['no secret to verify it with', { secrets: [] }],
])('invalid: %s', (reason, one) => {
  expect(verdictOf(one)).toEqual({ kind: 'invalid', reason });
});

test.each([-300, 300])('a clock that is %i s off is accepted', (seconds) => {
  const headers = { ...signWebhook([key], { id: 'a', timestampSeconds: timestampSeconds + seconds, body }) };
  expect(verdictOf({ headers })).toEqual({ kind: 'valid' });
});
