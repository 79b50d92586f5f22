import { expect, test } from 'vitest';
import { parseSecret } from './parse-secret.ts';

test.each([
  ['github', "It's a Secret\n", "It's a Secret"],
  ['stripe', 'whsec_abc\r\n', 'whsec_abc'],
  ['shopify', ' with blanks ', ' with blanks '],
  ['slack', 'ünï', 'ünï'],
] as const)('%s: the text %j is the key, without its line end', (verify, text, key) => {
  expect(parseSecret(text, verify)).toEqual({ kind: 'key', key: Buffer.from(key) });
});

test.each(['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n'])(
  'a secret of Standard Webhooks is base64: %j',
  (text) => {
    expect(parseSecret(text, 'standard')).toEqual({
      kind: 'key',
      key: Buffer.from('MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'base64'),
    });
  },
);

test.each([
  ['github', '', 'holds no secret'],
  ['github', '\r\n\n', 'holds no secret'],
  ['github', 'top-secret\nother', 'must hold one secret, on one line'],
  ['github', 'top-secret'.repeat(103), 'on one line of at most 1024 characters'],
  ['hmac', 'top-secret\ufffd', 'is not text in UTF-8'],
  ['standard', 'whsec_', 'must hold a secret of Standard Webhooks'],
  ['standard', 'whsec_top-secret!', 'must hold a secret of Standard Webhooks'],
] as const)('%s: a text that is wrong is refused, and is not quoted: %#', (verify, text, problem) => {
  const parsed = parseSecret(text, verify);
  expect(parsed).toEqual({ kind: 'refused', problem: expect.stringContaining(problem) });
  expect(JSON.stringify(parsed)).not.toContain('top-secret');
});
