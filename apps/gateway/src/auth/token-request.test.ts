import { createToken, hashToken, parseTokens, writeTokenEntry } from '@asyncfn/tokens';
import { expect, test } from 'vitest';
import { parseTokenRequest } from './token-request.ts';

const ask = (commandLine: string) => parseTokenRequest(commandLine.split(' '));

function entryFor(commandLine: string, secret = createToken()) {
  const request = ask(commandLine);
  return request === undefined ? undefined : writeTokenEntry(request.name, request.settings, secret);
}

test('an entry can be pasted below `tokens:` as it is, and is valid for the token it was made with', () => {
  const secret = createToken();
  const entry = entryFor(
    'x --scope invoke --scope read --function pdf-* --function *.a --rate 5/1s --expires 2030-01-31T00:00:00Z --callback-secret-file secrets/x',
    secret,
  );
  const text = entry?.kind === 'entry' ? entry.text : '';
  const parsed = parseTokens(`tokens:\n${text}`);
  expect(parsed.kind === 'tokens' && parsed.tokens).toMatchObject([
    {
      name: 'x',
      hashes: [hashToken(secret)],
      scopes: new Set(['invoke', 'read']),
      rate: { requests: 5, windowMs: 1_000 },
      expiresAt: Date.UTC(2030, 0, 31),
      callbackSecretFile: 'secrets/x',
    },
  ]);
  expect(text).not.toContain(secret);
});

test('values that the file could not hold are refused at once', () => {
  expect(entryFor('x --scope root')).toMatchObject({ problems: [expect.stringContaining('scopes')] });
  expect(entryFor('a/b --scope read')).toMatchObject({ problems: [expect.stringContaining('a/b')] });
});

test('a secret that can be guessed is refused', () => {
  expect(entryFor('x --scope read', 'hunter2')).toMatchObject({ kind: 'refused' });
  expect(entryFor('x --scope read', 'x'.repeat(32))).toMatchObject({ kind: 'entry' });
});

test.each(['', 'x', '--scope read', 'x y --scope read', 'x --scope', 'x --scope read --colour red'])(
  '%j is answered with the usage',
  (commandLine) => {
    expect(parseTokenRequest(commandLine.split(' ').filter((word) => word !== ''))).toBeUndefined();
  },
);

test('two tokens are never the same, and too long to guess', () => {
  const tokens = Array.from({ length: 100 }, createToken);
  expect(new Set(tokens).size).toBe(100);
  expect(tokens.every((token) => /^asyncfn_[A-Za-z0-9_-]{43}$/.test(token))).toBe(true);
});
