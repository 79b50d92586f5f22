import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hasScope } from './caller.ts';
import { formatHash, hashToken } from './token.ts';
import { parseTokens, parseTokensFile, secretFilesOf } from './tokens-document.ts';

const hash = formatHash(hashToken('a'));
const other = formatHash(hashToken('b'));

function problems(text: string): string[] {
  const parsed = parseTokens(text);
  return parsed.kind === 'tokens' ? [] : parsed.problems.map(({ line, path }) => `${line} ${path}`);
}

test('a file with every setting', () => {
  const parsed = parseTokens(`
defaults: { rateLimit: 10/1m }
tokens:
  partner-x:
    hash: ${hash}
    scopes: [invoke, read]
    functions: [thumbnail, "pdf-*"]
    rateLimit: 100/1s
    expires: 2030-01-31T00:00:00Z
    callbackSecretFile: secrets/partner-x
  ops.team: { hash: ["${other}"], scopes: [admin] }
`);
  expect(parsed.kind === 'tokens' && parsed.tokens).toMatchObject([
    {
      name: 'partner-x',
      hashes: [hashToken('a')],
      scopes: new Set(['invoke', 'read']),
      rate: { requests: 100, windowMs: 1_000 },
      expiresAt: Date.UTC(2030, 0, 31),
      callbackSecretFile: 'secrets/partner-x',
    },
    {
      name: 'ops.team',
      hashes: [hashToken('b')],
      rate: { requests: 10, windowMs: 60_000 },
      expiresAt: undefined,
      callbackSecretFile: undefined,
    },
  ]);
});

test('a token covers the functions that it names, and all without names', () => {
  const parsed = parseTokens(
    `tokens: { a: { hash: "${hash}", scopes: [invoke], functions: [x, y-*] }, b: { hash: "${other}", scopes: [invoke] } }`,
  );
  const [a, b] = parsed.kind === 'tokens' ? parsed.tokens : [];
  const names = ['x', 'y-1', 'z', 'x.ns'];
  expect(names.map((name) => a?.covers(name))).toEqual([true, true, false, false]);
  expect(names.map((name) => b?.covers(name))).toEqual([true, true, true, true]);
});

test('admin includes the other scopes, and no other scope includes any', () => {
  const caller = (scope: 'invoke' | 'read' | 'admin') => ({
    name: scope,
    scopes: new Set([scope]),
    covers: () => true,
    rate: undefined,
  });
  const all = ['invoke', 'read', 'admin'] as const;
  const granted = all.map((scope) => all.filter((wanted) => hasScope(caller(scope), wanted)));
  expect(granted).toEqual([['invoke'], ['read'], ['invoke', 'read', 'admin']]);
});

describe('mistakes are reported with their line and their path', () => {
  test.each([
    ['', ['1 tokens']],
    ['tokens: {}', ['1 tokens']],
    ['tokens: 5', ['1 tokens']],
    ['tokens: { a: { scopes: [read] } }', ['1 tokens.a.hash']],
    [`tokens: { a: { hash: "${hash}" } }`, ['1 tokens.a.scopes']],
    [`tokens: { a: { hash: "${hash}", scopes: [] } }`, ['1 tokens.a.scopes']],
    [`tokens: { a: { hash: "${hash}", scopes: [write] } }`, ['1 tokens.a.scopes.0']],
    [`tokens: { "a b": { hash: "${hash}", scopes: [read] } }`, ['1 tokens.a b']],
    [`tokens: { a: { hash: "${hash}", scopes: [admin], functions: [x] } }`, ['1 tokens.a.functions']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], functions: [] } }`, ['1 tokens.a.functions']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], functions: ["a*b*"] } }`, ['1 tokens.a.functions.0']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], expires: 2030-01-31 } }`, ['1 tokens.a.expires']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], expires: 2030-02-40T00:00:00Z } }`, ['1 tokens.a.expires']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], expires: 2030-02-30T00:00:00Z } }`, ['1 tokens.a.expires']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], rateLimit: 5 } }`, ['1 tokens.a.rateLimit']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], callbackSecretFile: "" } }`, ['1 tokens.a.callbackSecretFile']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], callbackSecretFile: [x] } }`, ['1 tokens.a.callbackSecretFile']],
    [`defaults: { rateLimit: fast }\ntokens: { a: { hash: "${hash}", scopes: [read] } }`, ['1 defaults.rateLimit']],
    [`tokens: { a: { hash: "${hash}", scopes: [read], colour: red } }`, ['1 tokens.a.colour']],
    [
      `tokens:\n  a: { hash: "${hash}", scopes: [read] }\n  b: { hash: "${hash}", scopes: [read] }`,
      ['3 tokens.b.hash'],
    ],
    ['tokens: [', ['1 ']],
    [
      'tokens:\n  a:\n    hash: md5:x\n    scopes: [root]\n  "b c":\n    hash: 1\n    scopes: [read]\n    rateLimit: x',
      ['3 tokens.a.hash', '4 tokens.a.scopes.0', '5 tokens.b c', '6 tokens.b c.hash', '8 tokens.b c.rateLimit'],
    ],
  ])('%j', (text, expected) => {
    expect(problems(text)).toEqual(expected);
  });
});

describe('files of secrets', () => {
  const text = `tokens:\n  a: { hash: "${hash}", scopes: [read], callbackSecretFile: x }\n  b: { callbackSecretFile: y }\n  c: { callbackSecretFile: x }`;

  test('are found in a document that is wrong elsewhere, each once', () => {
    expect(secretFilesOf(text)).toEqual(['x', 'y']);
    expect(secretFilesOf('tokens: [')).toEqual([]);
    expect(secretFilesOf('tokens: { a: 5, b: { callbackSecretFile: 5 } }')).toEqual([]);
  });

  test('with mistakes are reported at the place that names them, beside all other problems', () => {
    const parsed = parseTokensFile(text, 'tokens.yaml', {
      secretProblem: (file) => (file === 'x' ? 'is wrong' : undefined),
    });
    expect(parsed).toMatchObject({
      kind: 'refused',
      problems: expect.arrayContaining([
        'tokens.yaml:2: tokens.a.callbackSecretFile is wrong',
        expect.stringContaining('tokens.yaml:3: tokens.b.hash is missing'),
        'tokens.yaml:4: tokens.c.callbackSecretFile is wrong',
      ]),
    });
  });
});

test('a token that was pasted in place of its hash is not repeated in the problem', () => {
  const parsed = parseTokens('tokens: { a: { hash: asyncfn_topsecret, scopes: [read], rateLimit: topsecret } }');
  expect(parsed.kind).toBe('refused');
  expect(JSON.stringify(parsed)).not.toContain('topsecret');
});

test('any text yields tokens or problems, each on a line of the text', () => {
  const word = fc.constantFrom(
    'tokens',
    'defaults',
    'hash',
    'scopes',
    'read',
    hash,
    ':',
    '\n',
    ' ',
    '[',
    '{',
    '}',
    ']',
    ',',
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join('')),
  );
  fc.assert(
    fc.property(text, (any) => {
      const parsed = parseTokens(any);
      const lines = any.split('\n').length;
      expect(parsed.kind === 'tokens' || parsed.problems.every(({ line }) => line >= 1 && line <= lines)).toBe(true);
    }),
  );
});
