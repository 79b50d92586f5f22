import { BlockList, isIPv4 } from 'node:net';
import fc from 'fast-check';
import ipaddr from 'ipaddr.js';
import { describe, expect, test } from 'vitest';
import { CallbackPolicy } from './callback-policy.ts';
import { portRangeType } from './port-range.ts';
import { callbackRuleSettings } from './settings.ts';
import { type TargetRule, targetRuleType } from './target-rule.ts';

interface Settings {
  allow?: string;
  deny?: string;
  ports?: string;
  httpsOnly?: boolean;
}

function rules(text: string | undefined): TargetRule[] {
  return (text?.split(',') ?? []).map((part) => targetRuleType.parse(part)!);
}

function policy({ allow, deny, ports, httpsOnly = false }: Settings = {}): CallbackPolicy {
  return new CallbackPolicy({
    callbackAllow: rules(allow),
    callbackDeny: rules(deny),
    callbackPorts: ports?.split(',').map((part) => portRangeType.parse(part)!) ?? callbackRuleSettings.ports.default,
    callbackHttpsOnly: httpsOnly,
  });
}

/** The rule that refuses a URL. */
function ruleAgainst(url: string, settings?: Settings): string | undefined {
  return policy(settings).objectTo(new URL(url))?.rule;
}

function ruleAgainstAddress(host: string, address: string, settings?: Settings): string | undefined {
  return policy(settings).objectToAddress(host, address)?.rule;
}

const publicAddresses = ['1.1.1.1', '93.184.216.34', '172.15.255.255', '172.32.0.0', '100.63.255.255', '100.128.0.0'];
const publicIpv6 = ['2606:4700::1111', '2a00:1450:4001::200e', '2001:4860:4860::8888', '2003::1', '3ffe::1'];

describe('a URL', () => {
  test('of a public host is allowed, by name or by address', () => {
    for (const host of ['receiver.example', ...publicAddresses, ...publicIpv6.map((address) => `[${address}]`)]) {
      expect([host, ruleAgainst(`https://${host}/hook`)]).toEqual([host, undefined]);
    }
  });

  test('is refused for its scheme', () => {
    expect(ruleAgainst('ftp://receiver.example')).toBe('scheme');
    expect(ruleAgainst('http://receiver.example', { httpsOnly: true })).toBe('CALLBACK_HTTPS_ONLY');
    expect(ruleAgainst('https://receiver.example', { httpsOnly: true })).toBeUndefined();
  });

  test.each([':22', ':25', ':81', ':1023'])('with port %s is refused', (port) => {
    expect(ruleAgainst(`http://receiver.example${port}`)).toBe('CALLBACK_PORTS');
    expect(ruleAgainst(`http://receiver.example${port}`, { ports: '1-65535' })).toBeUndefined();
  });

  test('has the port of its scheme if it names none', () => {
    expect(ruleAgainst('http://receiver.example', { ports: '80' })).toBeUndefined();
    expect(ruleAgainst('https://receiver.example', { ports: '80' })).toBe('CALLBACK_PORTS');
    expect(ruleAgainst('https://receiver.example', { ports: '400-443' })).toBeUndefined();
  });

  test.each(['localhost', 'LOCALHOST', 'localhost.', 'app.localhost'])(
    'of %s is known to be of this machine',
    (host) => {
      expect(ruleAgainst(`http://${host}`)).toBe('CALLBACK_ALLOW');
      expect(ruleAgainst(`http://${host}`, { allow: '127.0.0.1' })).toBeUndefined();
      expect(ruleAgainst(`http://${host}`, { allow: '::1' })).toBeUndefined();
      expect(ruleAgainst(`http://${host}`, { allow: 'localhost,*.localhost' })).toBeUndefined();
    },
  );

  test('of a name that could be anything is judged when its addresses are known', () => {
    for (const host of ['inbox', 'metadata.google.internal', '127.0.0.1.nip.example']) {
      expect(ruleAgainst(`http://${host}`)).toBeUndefined();
      expect(ruleAgainstAddress(host, '10.0.0.1')).toBe('CALLBACK_ALLOW');
    }
  });

  test('is refused with a reason that quotes nothing of it', () => {
    const { detail } = policy().objectTo(new URL('http://user:secret@10.1.2.3/path?token=1'))!;
    expect(detail).toBe(
      'its host is in the network 10.0.0.0/8 (private), which is not public and not allowed (CALLBACK_ALLOW)',
    );
  });

  test('goes to its host, whatever is before the @', () => {
    expect(ruleAgainst('http://receiver.example@127.0.0.1/')).toBe('CALLBACK_ALLOW');
    expect(ruleAgainst('http://receiver.example\\@127.0.0.1/')).toBeUndefined(); // the host ends at the backslash
    expect(ruleAgainst('http://127.0.0.1\\@receiver.example/')).toBe('CALLBACK_ALLOW');
    expect(ruleAgainst('http://a@b@127.0.0.1/')).toBe('CALLBACK_ALLOW');
  });
});

describe('an allowed target', () => {
  test('is a network, and no address outside of it', () => {
    const settings = { allow: '10.1.0.0/16,fd00:1::/32' };
    expect(ruleAgainst('http://10.1.255.255', settings)).toBeUndefined();
    expect(ruleAgainst('http://[fd00:1::5]', settings)).toBeUndefined();
    expect(ruleAgainst('http://10.2.0.0', settings)).toBe('CALLBACK_ALLOW');
    expect(ruleAgainst('http://[fd00:2::5]', settings)).toBe('CALLBACK_ALLOW');
  });

  test('is refused in the disguise of IPv6', () => {
    const settings = { allow: '10.0.0.0/8' };
    expect(ruleAgainst('http://10.0.0.1', settings)).toBeUndefined();
    for (const disguised of ['[::ffff:10.0.0.1]', '[64:ff9b::10.0.0.1]', '[2002:a00:1::]']) {
      expect([disguised, ruleAgainst(`http://${disguised}`, settings)]).toEqual([disguised, 'CALLBACK_ALLOW']);
    }
  });

  test('is a name, with whatever addresses it has', () => {
    const settings = { allow: 'inbox,*.internal.example' };
    expect(ruleAgainstAddress('inbox', '172.18.0.5', settings)).toBeUndefined();
    expect(ruleAgainstAddress('INBOX.', '172.18.0.5', settings)).toBeUndefined();
    expect(ruleAgainstAddress('a.b.internal.example', 'fd00::1', settings)).toBeUndefined();
    for (const host of [
      'xinbox',
      'inbox.example',
      'internal.example',
      'xinternal.example',
      'a.internal.example.evil.example',
    ]) {
      expect([host, ruleAgainstAddress(host, '172.18.0.5', settings)]).toEqual([host, 'CALLBACK_ALLOW']);
    }
  });

  test('is the only one, if the configuration says so', () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (address) => {
        expect(ruleAgainstAddress('any.example', address, { allow: '0.0.0.0/0,::/0' })).toBeUndefined();
      }),
    );
  });
});

describe('a denied target', () => {
  test('is refused although it is public', () => {
    const settings = { deny: '93.184.216.0/24,evil.example,*.evil.example' };
    for (const host of ['93.184.216.34', 'evil.example', 'EVIL.example.', 'a.evil.example']) {
      expect([host, ruleAgainst(`http://${host}`, settings)]).toEqual([host, 'CALLBACK_DENY']);
    }
    expect(ruleAgainstAddress('other.example', '93.184.216.34', settings)).toBe('CALLBACK_DENY');
    expect(ruleAgainst('http://notevil.example', settings)).toBeUndefined();
  });

  test('is refused whatever allows it', () => {
    expect(ruleAgainst('http://10.0.0.1', { allow: '10.0.0.0/8', deny: '10.0.0.1' })).toBe('CALLBACK_DENY');
    expect(ruleAgainstAddress('inbox', '10.0.0.1', { allow: 'inbox', deny: '10.0.0.0/8' })).toBe('CALLBACK_DENY');
    expect(ruleAgainstAddress('inbox', '10.0.0.1', { allow: '10.0.0.0/8', deny: 'inbox' })).toBe('CALLBACK_DENY');
  });

  test.each(['[::ffff:10.0.0.1]', '[::10.0.0.1]', '[64:ff9b::10.0.0.1]', '[2002:a00:1::5]', '[::ffff:0:10.0.0.1]'])(
    'is refused in the disguise of %s as well',
    (host) => {
      expect(ruleAgainst(`http://${host}`, { allow: '::/0', deny: '10.0.0.0/8' })).toBe('CALLBACK_DENY');
    },
  );
});

describe('an address', () => {
  test('that is not valid is refused', () => {
    for (const nonsense of ['', '127.1', '0x7f000001', '0177.0.0.1', 'receiver.example', '::1::1']) {
      expect(ruleAgainstAddress('any.example', nonsense)).toBe('CALLBACK_ALLOW');
    }
  });

  test('is public only if other libraries consider it public too', () => {
    const oneOf = fc.oneof(fc.ipV4(), fc.ipV6(), specialAddress());
    fc.assert(
      fc.property(oneOf, (address) => {
        if (ruleAgainstAddress('any.example', address) === undefined) {
          expect([address, ipaddr.parse(address).range()]).toEqual([address, 'unicast']);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('is refused if it is in one of the networks that RFC 6890 and its successors name', () => {
    const named = new BlockList();
    for (const [base, length, family] of namedNetworks) {
      named.addSubnet(base, length, family);
    }
    fc.assert(
      fc.property(specialAddress(), (address) => {
        if (named.check(address, isIPv4(address) ? 'ipv4' : 'ipv6')) {
          expect([address, ruleAgainstAddress('any.example', address)]).toEqual([address, 'CALLBACK_ALLOW']);
        }
      }),
      { numRuns: 5_000 },
    );
  });

  test('is refused in every spelling that a URL may have for it', () => {
    const octet = fc.nat({ max: 255 });
    const bases = [fc.constant(10), fc.constant(127), fc.constant(0)];
    fc.assert(
      fc.property(fc.oneof(...bases), octet, octet, octet, fc.nat({ max: 5 }), (a, b, c, d, spelling) => {
        expect(ruleAgainst(`http://${spellings(a, b, c, d)[spelling]}/`)).toBe('CALLBACK_ALLOW');
      }),
      { numRuns: 2_000 },
    );
  });
});

const namedNetworks = [
  ['0.0.0.0', 8, 'ipv4'],
  ['10.0.0.0', 8, 'ipv4'],
  ['100.64.0.0', 10, 'ipv4'],
  ['127.0.0.0', 8, 'ipv4'],
  ['169.254.0.0', 16, 'ipv4'],
  ['172.16.0.0', 12, 'ipv4'],
  ['192.168.0.0', 16, 'ipv4'],
  ['198.18.0.0', 15, 'ipv4'],
  ['224.0.0.0', 3, 'ipv4'],
  ['::', 128, 'ipv6'],
  ['::1', 128, 'ipv6'],
  ['64:ff9b::', 96, 'ipv6'],
  ['2001::', 32, 'ipv6'],
  ['2002::', 16, 'ipv6'],
  ['fc00::', 7, 'ipv6'],
  ['fe80::', 10, 'ipv6'],
  ['ff00::', 8, 'ipv6'],
] as const;

/** Addresses around the ends of the networks above, which would reveal an off-by-one. */
function specialAddress(): fc.Arbitrary<string> {
  return fc.tuple(fc.constantFrom(...namedNetworks), fc.integer({ min: -2, max: 2 }), fc.boolean()).map(toNeighbour);
}

function toNeighbour([[base, length, family], offset, atEnd]: [(typeof namedNetworks)[number], number, boolean]) {
  const width = family === 'ipv4' ? 32n : 128n;
  const bytes = ipaddr.parse(base).toByteArray();
  const first = bytes.reduce((sum, byte) => sum * 256n + BigInt(byte), 0n);
  const size = 1n << (width - BigInt(length));
  const value = BigInt.asUintN(Number(width), first + (atEnd ? size : 0n) + BigInt(offset));
  const hex = value.toString(16).padStart(Number(width) / 4, '0');
  return ipaddr.fromByteArray(hex.match(/../g)!.map((byte) => Number.parseInt(byte, 16))).toString();
}

function spellings(a: number, b: number, c: number, d: number): string[] {
  const number = ((a * 256 + b) * 256 + c) * 256 + d;
  return [
    `${a}.${b}.${c}.${d}`,
    String(number),
    `0x${number.toString(16)}`,
    `0${number.toString(8)}`,
    `0x${a.toString(16)}.0${b.toString(8)}.${c * 256 + d}`,
    `${a}.${(b * 256 + c) * 256 + d}.`,
  ];
}
