import { expect, test } from 'vitest';
import { keepCredentials } from './kept-credentials.ts';

const before = 'http://user:p%40ss$&@fn:8080/base';

test.each([
  ['the same without them', 'http://fn:8080/base', 'http://user:p%40ss$&@fn:8080/base'],
  ['another path', 'http://fn:8080/v2', 'http://user:p%40ss$&@fn:8080/v2'],
  ['the same origin in other letters', 'HTTP://FN:8080', 'HTTP://user:p%40ss$&@FN:8080'],
  ['one with a user of its own', 'http://other@fn:8080', 'http://other@fn:8080'],
  ['one with others', 'http://a:b@elsewhere', 'http://a:b@elsewhere'],
  ['one with an empty user', 'http://@fn:8080/a@b', 'http://fn:8080/a@b'],
])('%s is stored as it should be', (_, url, stored) => {
  expect(keepCredentials(url, before)).toEqual({ url: stored, lost: false });
});

test.each(['http://evil:8080', 'https://fn:8080', 'http://fn:8081', 'http://fn.evil:8080'])(
  'they never go to another origin: %s',
  (url) => {
    expect(keepCredentials(url, before)).toEqual({ url, lost: true });
  },
);

test.each([undefined, 'http://fn:8080', 'http://@fn:8080', 'http://:@fn:8080'])(
  'without any (%s), none are kept',
  (former) => {
    expect(keepCredentials('http://fn:8080/x', former)).toEqual({ url: 'http://fn:8080/x', lost: false });
    expect(keepCredentials('http://elsewhere', former)).toEqual({ url: 'http://elsewhere', lost: false });
  },
);
