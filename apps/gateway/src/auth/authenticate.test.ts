import { createToken, formatHash, hashToken, parseTokens } from '@asyncfn/tokens';
import { describe, expect, test } from 'vitest';
import { authenticate } from './authenticate.ts';

const now = Date.parse('2030-01-01T00:00:00Z');
const secrets = { one: createToken(), two: createToken(), twoNew: createToken(), gone: createToken(), odd: 'a b:c' };

function tokensOf(text: object) {
  const parsed = parseTokens(JSON.stringify(text));
  if (parsed.kind === 'refused') {
    throw new Error(JSON.stringify(parsed.problems));
  }
  return parsed.tokens;
}

const hash = (secret: string) => formatHash(hashToken(secret));
const tokens = tokensOf({
  tokens: {
    one: { hash: hash(secrets.one), scopes: ['invoke'], expires: '2030-01-01T00:00:00.001Z' },
    two: { hash: [hash(secrets.two), hash(secrets.twoNew)], scopes: ['read'] },
    gone: { hash: hash(secrets.gone), scopes: ['admin'], expires: '2030-01-01T01:00:00+01:00' },
    odd: { hash: hash(secrets.odd), scopes: ['invoke'] },
  },
});

const basic = (user: string, password: string) => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
const outcome = (...authorization: string[]) => {
  const result = authenticate(authorization, tokens, now);
  return result.kind === 'authenticated' ? result.token.name : result.why;
};

test.each([
  ['a bearer token', `Bearer ${secrets.one}`, 'one'],
  ['a scheme in any case', `bEARER  ${secrets.one} `, 'one'],
  ['the older of two hashes', `Bearer ${secrets.two}`, 'two'],
  ['the newer of two hashes', `Bearer ${secrets.twoNew}`, 'two'],
  ['a name and its token', basic('two', secrets.two), 'two'],
  ['a password with a colon', basic('odd', secrets.odd), 'odd'],
])('%s is known', (_, header, name) => {
  expect(outcome(header)).toBe(name);
});

describe('a request is refused with', () => {
  test.each([
    ['another token', `Bearer ${createToken()}`, 'unknown'],
    ['the token with a letter more', `Bearer ${secrets.one}x`, 'unknown'],
    ['the token with a letter less', `Bearer ${secrets.one.slice(0, -1)}`, 'unknown'],
    ['the hash in place of the token', `Bearer ${hashToken(secrets.one).toString('hex')}`, 'unknown'],
    ["a token under another token's name", basic('one', secrets.two), 'unknown'],
    ['a token under no name', basic('', secrets.two), 'unknown'],
    ['a name alone', basic('one', ''), 'unknown'],
    ['a token whose time is over', `Bearer ${secrets.gone}`, 'expired'],
    ['a token whose time is over, as basic', basic('gone', secrets.gone), 'expired'],
    ['an empty header', '', 'unreadable'],
    ['a scheme alone', 'Bearer', 'unreadable'],
    ['a token alone', secrets.one, 'unreadable'],
    ['a scheme that is not known', `Digest ${secrets.one}`, 'unreadable'],
    ['basic without a colon', `Basic ${Buffer.from('one').toString('base64')}`, 'unreadable'],
    ['two tokens in one header', `Bearer ${secrets.one}, Bearer ${secrets.two}`, 'unreadable'],
  ])('%s', (_, header, why) => {
    expect(outcome(header)).toBe(why);
  });

  test('no header', () => expect(outcome()).toBe('missing'));

  test('a second header, whatever its value', () => {
    expect(outcome(`Bearer ${secrets.one}`, `Bearer ${secrets.one}`)).toBe('unreadable');
  });

  test('any secret if there are no tokens', () => {
    expect(authenticate([`Bearer ${secrets.one}`], [], now)).toEqual({ kind: 'refused', why: 'unknown' });
  });
});
