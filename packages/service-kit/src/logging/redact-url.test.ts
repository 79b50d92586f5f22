import { expect, test } from 'vitest';
import { displayUrl } from './redact-url.ts';

test.each([
  ['http://host/path', 'http://host/path'],
  ['http://user:secret@host:8080/path?token=secret#secret', 'http://host:8080/path'],
  ['http://user:p@secret@host/@me/x', 'http://host/@me/x'],
  ['nats://user:secret@host:4222', 'nats://host:4222'],
  ['tls://secret@host', 'tls://host'],
  ['/relative?secret', '/relative'],
  ['/users/@me/?secret#secret', '/users/@me/'],
  ['//user:secret@host/path?secret', '//host/path'],
  ['nats://user:sec/ret@host:4222', 'nats://host:4222'],
  ['user:secret@host#secret', 'user:secret@host'],
  ['', ''],
  ['not a url', 'not a url'],
  ['http://', 'http://'],
])('%j is shown as %j', (url, shown) => {
  expect(displayUrl(url)).toBe(shown);
});

test('a URL object is shown and stays as it was', () => {
  const url = new URL('http://user:secret@host/?secret');
  expect(displayUrl(url)).toBe('http://host/');
  expect(url.password).toBe('secret');
});
