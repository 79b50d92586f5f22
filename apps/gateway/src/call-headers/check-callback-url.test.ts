import { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { parseConfig } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { gatewayConfig } from '../config.ts';
import { checkCallbackUrl } from './check-callback-url.ts';

const policy = new CallbackPolicy(parseConfig(gatewayConfig, { CALLBACK_ALLOW: '127.0.0.0/8' }));

test.each([
  'http://a.test',
  'HTTPS://a.test:8443/b?c=d#e',
  'http://user:p%20ss@a.test/',
  "http://127.0.0.1/it's/../b\\?",
])('%s is taken', (url) => {
  expect(checkCallbackUrl(url, policy)).toBeUndefined();
});

test.each([
  '/relative',
  'a.test',
  'ftp://a.test',
  'http:',
  'http://',
  'http:a.test',
  'http://a b',
  'http://\xe9',
  'javascript:alert(1)',
  'http://a.test:99999',
])('%j is no URL to call', (url) => {
  expect(checkCallbackUrl(url, policy)).toMatchObject({
    code: 'invalid_callback_url',
    detail: 'X-Callback-Url must be an absolute http or https URL, in visible ASCII.',
  });
});

test.each([
  ['http://%zz@a.test', 'a percent sign in its user or password is written %25'],
  ['http://user:%ff@a.test', 'a percent sign in its user or password is written %25'],
  ['http://s3cret@b.test@a.test', 'an @ in its user or password is written %40'],
  ['http://a.test\\@b.test', 'it has a backslash before its path'],
  ['http://0177.0.0.1/', 'its host is not in its usual form, such as 192.0.2.1 for an IPv4 address'],
])('%j could be read in two ways, and is refused with the reason', (url, why) => {
  expect(checkCallbackUrl(url, policy)).toMatchObject({
    code: 'invalid_callback_url',
    detail: `X-Callback-Url could be read in two ways: ${why}.`,
  });
});

test('a host that is not allowed is refused first, however it is written', () => {
  for (const url of ['http://10.0.0.1/', 'http://012.0.0.1/', 'http://167772161/', 'http://a@b@10.1/']) {
    expect(checkCallbackUrl(url, policy)).toMatchObject({ code: 'callback_not_allowed' });
  }
});
