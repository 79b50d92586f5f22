import { expect, test } from 'vitest';
import { parseUrl } from './url.ts';

test('a URL parses the same however many were parsed before it, even with letters beyond ASCII', () => {
  const international = 'http://bücher.example/straße';
  for (let count = 0; count < 20_000; count++) {
    parseUrl(`http://host-${count % 10}/`);
    expect(parseUrl(international)?.hostname).toBe('xn--bcher-kva.example');
  }
});

test.each(['', 'http://', '//host/', 'http://[::1', 'http://a b/'])('%j is not a URL', (text) => {
  expect(parseUrl(text)).toBeUndefined();
});
