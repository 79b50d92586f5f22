import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  enqueueOnlyTarget,
  isWebhook,
  parseTarget,
  parseWebhookTarget,
  routedTarget,
  routedWebhook,
  toRoutedUrl,
} from './target.ts';

const name63 = 'n'.repeat(63);

describe('parseTarget', () => {
  test.each([
    ['/async-function/echo', 'echo', '', ''],
    ['/async-function/echo/', 'echo', '/', ''],
    ['/async-function/echo.prod', 'echo.prod', '', ''],
    ['/async-function/echo?', 'echo', '', ''],
    ['/async-function/echo?a=b?c', 'echo', '', 'a=b?c'],
    ['/async-function/echo/a//b;v=1/%2F%20?q=%00', 'echo', '/a//b;v=1/%2F%20', 'q=%00'],
    ['/async-function/echo/\xe9\xff?\xfc', 'echo', '/\xe9\xff', '\xfc'],
    ['/async-function/echo?/../..', 'echo', '', '/../..'],
    [`/async-function/${name63}.${name63}`, `${name63}.${name63}`, '', ''],
    ['http://gateway.test/async-function/echo/a?b', 'echo', '/a', 'b'],
    ['HTTPS://gateway.test:8080/async-function/echo', 'echo', '', ''],
  ])('%s is read byte for byte', (url, name, path, query) => {
    expect(parseTarget(url)).toEqual({ kind: 'target', name, path, query });
  });

  test.each([
    '',
    '.',
    '..',
    '*',
    '>',
    'a*',
    'a.>',
    'a b',
    'a%20b',
    'a%2eb',
    '%2e%2e',
    'a%00',
    'a\\b',
    'a;b',
    'a#b',
    'a.b.c',
    '.a',
    'a.',
    'caf\xe9',
    'n'.repeat(64),
    'n'.repeat(10_000),
    `a.${'n'.repeat(64)}`,
  ])('the name %j is not valid', (name) => {
    expect(parseTarget(`/async-function/${name}`)).toMatchObject({ code: 'invalid_function_name' });
    expect(parseTarget(`/async-function/${name}/path?query`)).toMatchObject({ code: 'invalid_function_name' });
  });

  test.each([
    '/..',
    '/../',
    '/../other',
    '/a/../..',
    '/a/../../other',
    '/./..',
    '//../other',
    '/%2e%2e/other',
    '/%2E./other',
    '/.%2e/other',
    '/a/%2e%2E/%2e%2e',
    '/..\\..\\other',
    '/\\../other',
    '/..%2fother',
    '/a%2F..%2f..',
    '/a%2fb/../..',
    '/..%5cother',
    '/..;/other',
    '/..;x=y/other',
  ])('the path %s climbs above the function', (path) => {
    expect(parseTarget(`/async-function/echo${path}`)).toMatchObject({ code: 'invalid_path' });
  });

  test.each([
    '/a/..',
    '/a/../b',
    '/a/%2e%2e/b',
    '/a//../b',
    '/...',
    '/.',
    '/a/.../..',
    '/..a',
    '/a..',
    '/%2e',
    '/a;/../b',
  ])('the path %s stays inside and is left as it is', (path) => {
    expect(parseTarget(`/async-function/echo${path}`)).toMatchObject({ kind: 'target', path });
  });

  test.each(['/a\tb', '/\x7f', '?a\x0cb', '/a b'])('the target %j has characters that no URL may have', (rest) => {
    expect(parseTarget(`/async-function/echo${rest}`)).toMatchObject({ code: 'invalid_path' });
  });

  test('an accepted target never resolves to another function, by the rules of WHATWG URLs', () => {
    const piece = fc.constantFrom('..', '.', '/', '\\', 'a', '%2e', '%2E', '%2f', ';', '//', '?', '#', 'other');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const target = parseTarget(`/async-function/echo/${pieces.join('')}`);
        if (target.kind === 'target') {
          const { pathname } = new URL(`http://functions.test/function/echo${target.path}`);
          expect(pathname).toMatch(/^\/function\/echo(\/|$)/);
        }
      }),
      { numRuns: 2000 },
    );
  });

  test('path and query together are the bytes that came in', () => {
    const byte = fc.integer({ min: 0x21, max: 0xff }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit: byte }), fc.string({ unit: byte, minLength: 1 }), (path, query) => {
        const target = parseTarget(`/async-function/echo/${path.replaceAll('?', '')}?${query}`);
        if (target.kind === 'target') {
          expect(`${target.path}?${target.query}`).toBe(`/${path.replaceAll('?', '')}?${query}`);
        } else {
          expect(target.code).toBe('invalid_path');
        }
      }),
    );
  });
});

describe('toRoutedUrl', () => {
  test.each([
    ['/async-function/anything/%zz/..?x', routedTarget],
    ['/async-function/', routedTarget],
    ['http://gateway.test/async-function/echo', routedTarget],
    ['/async-function', '/async-function'],
    ['/healthz?x', '/healthz?x'],
    ['http://gateway.test/healthz', '/healthz'],
    ['*', '*'],
  ])('%s is routed as %s', (url, routed) => {
    expect(toRoutedUrl(url)).toBe(routed);
  });

  test.each([
    ['GET', '/async-function/call-1?wait=5s', '/async-function/call-1?wait=5s'],
    ['HEAD', '/async-function/call-1', '/async-function/call-1'],
    ['DELETE', 'http://gateway.test/async-function/call-1', '/async-function/call-1'],
    ['GET', '/async-function/call-1/result', '/async-function/call-1/result'],
    ['GET', '/async-function/call-1/attempts?submitter=a', '/async-function/call-1/attempts?submitter=a'],
    ['GET', '/async-function/echo.prod', '/async-function/~'],
    ['GET', '/async-function/%zz/result', '/async-function/~/result'],
    ['DELETE', '/async-function/call-1/other', enqueueOnlyTarget],
    ['PUT', '/async-function/call-1', routedTarget],
  ])('%s %s is routed as %s', (method, url, routed) => {
    expect(toRoutedUrl(url, method)).toBe(routed);
  });
});

describe('the target of a webhook', () => {
  test.each([
    ['/webhook/github/a%2Fb?c=d', 'github', '/a%2Fb', 'c=d'],
    ['http://gateway.test/webhook/github.prod?', 'github.prod', '', ''],
  ])('%s is read byte for byte, and routed as any other', (url, name, path, query) => {
    expect(parseWebhookTarget(url)).toEqual({ kind: 'target', name, path, query });
    expect([isWebhook({ url }), toRoutedUrl(url, 'POST'), toRoutedUrl(url, 'GET')]).toEqual([
      true,
      routedWebhook,
      routedWebhook,
    ]);
  });

  test.each(['/webhook/', '/webhook/a%20b', '/webhook/*', '/webhook/a/../..'])(
    '%s is none, and routed alike',
    (url) => {
      expect(parseWebhookTarget(url).kind).toBe('refused');
      expect(toRoutedUrl(url)).toBe(routedWebhook);
    },
  );

  test.each(['/webhook', '/webhooks/github', '/async-function/webhook/github', '/%77ebhook/github'])(
    '%s is for something else',
    (url) => {
      expect([isWebhook({ url }), parseWebhookTarget(url)]).toMatchObject([false, { code: 'not_found' }]);
    },
  );
});
