import { expect, test } from 'vitest';
import { createSigningSecret, formatSigningSecret, parseSigningSecret, signingSecretType } from './signing-secret.ts';

const secretOf = (bytes: number) => formatSigningSecret(Buffer.alloc(bytes, 7));

test('the key is the decoded base64', () => {
  expect(parseSigningSecret('whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw')).toEqual(
    Buffer.from('31f290f6bf06298aab4f08d43c3f082cf648a362da2da4b0', 'hex'),
  );
});

test.each([24, 25, 32, 63, 64])('a key may have %i bytes', (bytes) => {
  expect(parseSigningSecret(secretOf(bytes))).toHaveLength(bytes);
});

test.each([0, 23, 65, 1000])('a key may not have %i bytes', (bytes) => {
  expect(parseSigningSecret(secretOf(bytes))).toBeUndefined();
});

test.each([
  '',
  'whsec_',
  'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'whsk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  ' whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n',
  'whsec_MfKQ9r8GKYqrTwjU-D8ILPZIo2LaLaS_',
  'whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw',
  `${secretOf(32)}=`,
  secretOf(32).replace('=', ''),
  // The last character carries bits that belong to no byte.
  secretOf(32).replace(/.=$/, 'd='),
])('%j is no secret', (text) => {
  expect(parseSigningSecret(text)).toBeUndefined();
});

test('a new secret is valid, and never the same', () => {
  const secrets = Array.from({ length: 10 }, createSigningSecret);
  expect(new Set(secrets).size).toBe(10);
  for (const secret of secrets) {
    expect(parseSigningSecret(secret)).toHaveLength(32);
  }
});

test('the example in an error is not a valid secret', () => {
  expect(parseSigningSecret(signingSecretType.example)).toBeUndefined();
});
