import { describe, expect, test } from 'vitest';
import { portRangeType } from './port-range.ts';
import { targetRuleType } from './target-rule.ts';

function written(text: string): string | undefined {
  const rule = targetRuleType.parse(text);
  return rule && targetRuleType.format(rule);
}

describe('a rule of where callbacks may go', () => {
  test.each([
    ['10.0.0.0/8', '10.0.0.0/8'],
    ['192.168.1.7', '192.168.1.7/32'],
    ['0.0.0.0/0', '0.0.0.0/0'],
    ['::/0', '::/0'],
    ['fd00::/8', 'fd00::/8'],
    ['::1', '::1/128'],
    ['inbox', 'inbox'],
    ['Hooks.Example.', 'hooks.example'],
    ['*.internal.example', '*.internal.example'],
    ['my_host', 'my_host'],
    ['xn--caf-dma.example', 'xn--caf-dma.example'],
  ])('may be %s', (text, expected) => {
    expect(written(text)).toBe(expected);
  });

  test.each([
    '',
    '*',
    '*.',
    '.example',
    'a..example',
    '*.*.example',
    'a.*.example',
    '-a.example',
    'http://inbox',
    'inbox:8090',
    '[::1]',
    'fe80::1%eth0',
    '10.0.0.0/33',
    '::/129',
    '10.0.0.0/',
    '10.0.0.0/8/8',
    '10.0.0.1/8',
    'fd00::1/8',
    '127.1',
    '0x7f000001',
    '2130706433',
    '256.0.0.1',
    'caf\u00e9.example',
  ])('is not %j', (text) => {
    expect(written(text)).toBeUndefined();
  });

  test('has an example with two of them', () => {
    expect(targetRuleType.example.split(',').map(written)).not.toContain(undefined);
  });
});

describe('ports that callbacks may go to', () => {
  test.each([
    ['443', '443'],
    ['1-65535', '1-65535'],
    ['8000-8000', '8000'],
  ])('are written %s', (text, expected) => {
    expect(portRangeType.format(portRangeType.parse(text)!)).toBe(expected);
  });

  test.each(['', '0', '0-80', '65536', '90-80', '80-', '-80', '80-90-100', 'http', '8e1'])('are not %j', (text) => {
    expect(portRangeType.parse(text)).toBeUndefined();
  });
});
