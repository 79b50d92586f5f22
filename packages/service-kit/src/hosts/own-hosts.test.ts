import { describe, expect, test } from 'vitest';
import { listOf } from '../config/config-fields.ts';
import { hostPatternType } from './host-pattern.ts';
import { OwnHosts } from './own-hosts.ts';

const setting = listOf(hostPatternType, { env: 'ALLOWED_HOSTS', default: [], doc: 'Names.' });

function own(allowed = ''): OwnHosts {
  const patterns = allowed === '' ? [] : setting.parse(allowed);
  if (patterns === undefined) {
    throw new Error(`${allowed} is no list of hosts`);
  }
  return new OwnHosts(patterns);
}

describe('without a setting', () => {
  test.each([
    undefined,
    'localhost',
    'LOCALHOST:8080',
    'localhost.:8080',
    'app.localhost:3000',
    '127.0.0.1',
    '127.0.0.1:8080',
    '127.9.9.9:1',
    '127.0.0.1.',
    '[::1]',
    '[::1]:8080',
  ])('%s names this machine', (host) => {
    expect(own().include(host, '127.0.0.1')).toBe(true);
  });

  test.each([
    '',
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    'evillocalhost',
    '127.0.0.1.evil.example',
    '0.0.0.0:8080',
    '10.0.0.1:8080',
    'gateway:8080',
    '[::1].evil.example',
    '[::2]',
    'localhost:8080:evil.example',
    'localhost@evil.example',
    'evil.example#localhost',
  ])('%j does not', (host) => {
    expect(own().include(host, '127.0.0.1')).toBe(false);
  });

  test('the address that a connection came to is ours, and no other', () => {
    expect(own().include('192.168.1.5:8080', '192.168.1.5')).toBe(true);
    expect(own().include('192.168.1.5', '::ffff:192.168.1.5')).toBe(true);
    expect(own().include('[fd00::5]:8080', 'fd00::5')).toBe(true);
    expect(own().include('192.168.1.6', '192.168.1.5')).toBe(false);
    expect(own().include('192.168.1.5', undefined)).toBe(false);
  });
});

describe('a setting', () => {
  test('adds names and addresses, and all names below a domain', () => {
    const hosts = own('gateway, Asyncfn.Example.com, *.internal.example, 10.0.0.1, [fd00::1]');
    for (const host of ['gateway:8080', 'asyncfn.example.com', 'a.b.internal.example:1', '10.0.0.1', '[fd00::1]:80']) {
      expect(hosts.include(host, '127.0.0.1'), host).toBe(true);
    }
    for (const host of ['gateway.example', 'internal.example', 'xinternal.example', 'example.com', '10.0.0.2']) {
      expect(hosts.include(host, '127.0.0.1'), host).toBe(false);
    }
    expect(hosts.include('localhost', '127.0.0.1')).toBe(true);
  });

  test('may allow any name', () => {
    expect(own('*').include('evil.example', '127.0.0.1')).toBe(true);
  });

  test.each(['http://gateway', 'gateway:8080', 'a b', '*.', '*.*', 'a.*', '*.10.0.0.1', 'a..b', '[gateway]', ','])(
    '%j is refused',
    (text) => {
      expect(setting.parse(text)).toBeUndefined();
    },
  );

  test('is written as it is read', () => {
    const text = 'gateway,*.internal.example,10.0.0.1,[fd00::1],*';
    expect(
      setting
        .parse(text)
        ?.map((pattern) => hostPatternType.format(pattern))
        .join(),
    ).toBe(text);
  });
});
