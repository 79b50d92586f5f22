import { expect, test } from 'vitest';
import { redirectOf } from './redirect.ts';

test.each([301, 302, 303, 305, 307, 308])('%i is a redirect, to its Location if it names one', (status) => {
  expect(redirectOf(status, [['location', '/hash/?a=b']])).toEqual({ location: '/hash/?a=b' });
  expect(redirectOf(status, [])).toEqual({ location: undefined });
});

test.each([200, 201, 300, 304, 309, 400, undefined])('%s is none', (status) => {
  expect(redirectOf(status, [['Location', '/hash/']])).toBeUndefined();
});
