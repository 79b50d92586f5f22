import { describe, expect, test } from 'vitest';
import { dnsServerType } from './dns-server-type.ts';

describe('a DNS server of a setting', () => {
  test.each(['10.0.0.2', '10.0.0.2:5353', 'fd00::2', '[fd00::2]', '[fd00::2]:5353', '127.0.0.11:65535'])(
    'may be %s',
    (text) => {
      expect(dnsServerType.parse(text)).toBe(text);
    },
  );

  test.each([
    '',
    'dns.example',
    '10.0.0',
    '10.0.0.2:',
    '10.0.0.2:0',
    '10.0.0.2:65536',
    '[10.0.0.2]',
    '[fd00::2',
    '[fd00::2]:x',
  ])('may not be "%s"', (text) => {
    expect(dnsServerType.parse(text)).toBeUndefined();
  });
});
