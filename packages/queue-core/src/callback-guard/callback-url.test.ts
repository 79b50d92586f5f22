import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readCallbackUrl } from './callback-url.ts';

describe('path and query of a callback URL', () => {
  test.each([
    ['http://a.test', '/'],
    ['http://a.test?', '/?'],
    ['http://a.test?b=c', '/?b=c'],
    ['http://a.test/?', '/?'],
    ['http://a.test/b?', '/b?'],
    ['http://a.test/b?#c', '/b?'],
    ['http://a.test#b', '/'],
    ['http://a.test/b#c?d', '/b'],
    ["http://a.test/it's?it's", "/it's?it's"],
    ['http://a.test/./b/../c/%2e%2E/d/.', '/./b/../c/%2e%2E/d/.'],
    ['http://a.test/../b', '/../b'],
    ['http://a.test/b\\c\\..\\d?\\', '/b\\c\\..\\d?\\'],
    ['http://a.test//b//', '//b//'],
    ['http://a.test/%zz%?%', '/%zz%?%'],
    ['http://a.test/"<>^`{|}?"<>^`{|}', '/"<>^`{|}?"<>^`{|}'],
    ['http://a.test/b@c:d/;e=f', '/b@c:d/;e=f'],
  ])('%s are sent as they came', (text, target) => {
    expect(readCallbackUrl(text)).toMatchObject({ target, ambiguity: undefined, parsed: { host: 'a.test' } });
  });

  test('are never changed, whatever their content', () => {
    const visible = fc.string({ unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(visible, (rest) => {
        const target = `/${rest.replaceAll('#', '')}`;
        expect(readCallbackUrl(`https://a.test${target}`)).toMatchObject({ target, ambiguity: undefined });
      }),
    );
  });
});

describe('the credentials of a callback URL', () => {
  test.each([
    ['http://a.test/', undefined],
    ['http://@a.test/', undefined],
    ['http://:@a.test/', undefined],
    ['http://user@a.test/', ['user', '']],
    ['http://user:@a.test/', ['user', '']],
    ['http://:secret@a.test/', ['', 'secret']],
    ['http://user:pass%20word@a.test/', ['user', 'pass word']],
    ['http://user:a:b@a.test/', ['user', 'a:b']],
    ['http://caf%C3%A9:%3A%40%2F@a.test/', ['caf\u00e9', ':@/']],
    ["http://u;s=er:!$&'()*+,;=|^`@a.test/", ['u;s=er', "!$&'()*+,;=|^`"]],
    // Another host in front of the @ is a user, to all readers.
    ['http://b.test:80@a.test/', ['b.test', '80']],
  ])('in %s are read and decoded', (text, pair) => {
    const credentials = pair && { user: pair[0], password: pair[1] };
    expect(readCallbackUrl(text)).toMatchObject({ credentials, ambiguity: undefined, parsed: { host: 'a.test' } });
  });

  test.each([
    ['http://a@b@a.test/', 'an @ in its user'],
    ['http://a.test@b.test@a.test/', 'an @ in its user'],
    ['http://%zz@a.test/', 'a percent sign'],
    ['http://user:%ff@a.test/', 'a percent sign'],
    ['http://a%3Ab:c@a.test/', 'holds a colon'],
    ['http://a:b%0d%0aX:%20y@a.test/', 'control character'],
    ['http://a%00@a.test/', 'control character'],
  ])('in %s could be read in two ways', (text, why) => {
    expect(readCallbackUrl(text)?.ambiguity).toContain(why);
  });
});

describe('the host of a callback URL', () => {
  test.each([
    ['http://A.Test/', 'a.test'],
    ['HTTP://a.test.:8080/', 'a.test.'],
    ['http://a_b.test:/', 'a_b.test'],
    ['http://xn--bcher-kva.test/', 'xn--bcher-kva.test'],
    ['http://192.0.2.1:80/', '192.0.2.1'],
    ['http://[2001:DB8::1]/', '[2001:db8::1]'],
    ['http://[2001:0db8:0:0:0:0:0:1]:8080/', '[2001:db8::1]'],
    ['http://[::ffff:192.0.2.1]/', '[::ffff:c000:201]'],
  ])('in %s is %s', (text, hostname) => {
    expect(readCallbackUrl(text)).toMatchObject({ parsed: { hostname }, ambiguity: undefined });
  });

  test.each([
    ['http://a.test\\@b.test/', 'a backslash'],
    ['http://a.test\\b.test/', 'a backslash'],
    ['http://\\a.test/', 'a backslash'],
    ['http://user\\@a.test/', 'a backslash'],
    ['http:///a.test/', 'slashes'],
    ['http:////a.test/', 'slashes'],
    ['http://%61.test/', 'percent-encoded'],
    ['http://a%2etest/', 'percent-encoded'],
    ['http://%31%32%37.0.0.1/', 'percent-encoded'],
    ['http://[%3a%3a1]/', 'percent-encoded'],
    ['http://0x7f.1/', 'usual form'],
    ['http://0177.0.0.1/', 'usual form'],
    ['http://127.1/', 'usual form'],
    ['http://2130706433/', 'usual form'],
    ['http://127.0.0.1./', 'usual form'],
  ])('in %s could be read in two ways', (text, why) => {
    const url = readCallbackUrl(text);
    expect(url === undefined ? why : url.ambiguity).toContain(why);
  });

  test('is the same for every parser that follows RFC 3986', () => {
    const part = fc.string({ unit: fc.constantFrom(...'a.1%4:@[]\\/?#x-'.split('')), maxLength: 12 });
    fc.assert(
      fc.property(part, (text) => {
        const url = readCallbackUrl(`http://${text}`);
        if (url !== undefined && url.ambiguity === undefined) {
          const [, host = ''] = /^(?:[^@/?#]*@)?(\[[^\]]*\]|[^:/?#[\]@]*)(?::\d*)?(?=[/?#]|$)/.exec(text) ?? [];
          // An IPv6 address has several spellings, which all parsers know.
          expect(host.startsWith('[') ? url.parsed.hostname : host.toLowerCase()).toBe(url.parsed.hostname);
        }
      }),
      { numRuns: 2_000 },
    );
  });
});

test.each([
  '',
  '/relative',
  'a.test',
  'ftp://a.test',
  'http:',
  'http://',
  'http:a.test',
  'http:/a.test',
  'http:\\\\a.test',
  'http://?a',
  'http://user@/',
  'http://a b',
  'http://a.test/\tb',
  'http://a.test/\x7f',
  'http://\xe9.test',
  'http://a.test/\xe9',
  'javascript:alert(1)',
  'http://a.test:99999',
  'http://a.test:8o',
  'http://[::1%25lo]/',
  'http://[::1',
  'http://0x100000000/',
  'http://a<b.test/',
])('%j is no callback URL', (text) => {
  expect(readCallbackUrl(text)).toBeUndefined();
});
