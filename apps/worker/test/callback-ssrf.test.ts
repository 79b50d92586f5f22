import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { createLogger } from '@asyncfn/service-kit';
import { readTestCertificates, startDnsServer } from '@asyncfn/testkit';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { CallbackRefusedError } from '../src/callbacks/callback-refused.ts';
import type { ResolveAddresses } from '../src/callbacks/checked-connector.ts';
import { NameResolver } from '../src/names/name-resolver.ts';
import { CheckedCallbacks, Trap } from './checked-callbacks.ts';

// A server that listens on every address of this machine, and that no callback may ever reach.
let trap: Trap;
beforeAll(async () => {
  trap = await Trap.open();
});
afterEach(() => void trap.reached.splice(0));
afterAll(() => trap[Symbol.asyncDispose]());

/** Spellings that reach this machine: without the guard the trap would receive the callbacks. */
const loopbackSpellings = [
  '127.0.0.1',
  '127.0.0.1.',
  '127.1',
  '127.0.1',
  '127.0.0.01',
  '2130706433',
  '0x7f000001',
  '0x7F.1',
  '0x7f.0x0.0x0.0x1',
  '0177.0.0.1',
  '0177.0.0.0x1',
  '017700000001',
  '00000177.1',
  '127.255.255.254',
  '%31%32%37.0.0.1',
  '127%2e0%2e0%2e1',
  '127\u30020\u30020\u30021',
  '\uff11\uff12\uff17.0.0.1',
  '0',
  '0x0',
  '0.0.0.0',
  '[::1]',
  '[0:0:0:0:0:0:0:1]',
  '[0000::0001]',
  '[::0.0.0.1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[0:0:0:0:0:ffff:127.0.0.1]',
  '[::FFFF:0.0.0.0]',
];

const otherSpellings = [
  // Private
  '10.0.0.1',
  '0xa.1',
  '167772161',
  '10.255.255.255',
  '172.16.0.1',
  '172.31.255.255',
  '192.168.0.1',
  '0xc0a80001',
  '[fc00::1]',
  '[fd12:3456:789a::1]',
  // Link-local, metadata services of clouds
  '169.254.169.254',
  '2852039166',
  '0xa9fea9fe',
  '0251.0376.0251.0376',
  '169.254.43518',
  '[::ffff:169.254.169.254]',
  '[fe80::1]',
  '[febf:ffff::1]',
  '[fd00:ec2::254]',
  '100.100.100.200',
  '192.0.0.192',
  '168.63.129.16',
  // Carriers, documentation, benchmarks
  '100.64.0.1',
  '100.127.255.255',
  '192.0.2.1',
  '198.51.100.1',
  '203.0.113.1',
  '198.18.0.1',
  '198.19.255.255',
  '[2001:db8::1]',
  '[2001:2::1]',
  '[3fff::1]',
  // IPv4 written as IPv6
  '[::127.0.0.1]',
  '[::ffff:0:127.0.0.1]',
  '[64:ff9b::127.0.0.1]',
  '[64:ff9b::a9fe:a9fe]',
  '[64:ff9b:1::7f00:1]',
  '[2002:7f00:1::]',
  '[2002:a9fe:a9fe::1]',
  '[2001:0:4136:e378:8000:63bf:3fff:fdd2]',
  '192.88.99.1',
  // Multicast, broadcast, reserved, not assigned
  '224.0.0.1',
  '239.255.255.255',
  '240.0.0.1',
  '255.255.255.255',
  '0xffffffff',
  '0.1.2.3',
  '[ff02::1]',
  '[ff0e::1]',
  '[fec0::1]',
  '[100::1]',
  '[4000::1]',
  '[5f00::1]',
];

/** Names, and the addresses that they resolve to. */
const resolutions: [string, string[]][] = [
  ['localhost', ['127.0.0.1', '::1']],
  ['LOCALHOST.', ['::1']],
  ['app.localhost', ['127.0.0.1']],
  ['loopback.evil.example', ['127.0.0.1']],
  ['loopback6.evil.example', ['::1']],
  ['any.evil.example', ['0.0.0.0']],
  ['any6.evil.example', ['::']],
  ['mapped.evil.example', ['::ffff:127.0.0.1']],
  ['mapped-hex.evil.example', ['::ffff:7f00:1']],
  ['compatible.evil.example', ['::127.0.0.1']],
  ['nat64.evil.example', ['64:ff9b::7f00:1']],
  ['6to4.evil.example', ['2002:7f00:1::1']],
  ['teredo.evil.example', ['2001:0:4136:e378:8000:63bf:3fff:fdd2']],
  ['metadata.google.internal', ['169.254.169.254']],
  ['instance-data.ec2.internal', ['169.254.169.254', 'fd00:ec2::254']],
  ['private.evil.example', ['10.0.0.5']],
  ['lan.evil.example', ['192.168.1.1']],
  ['docker.evil.example', ['172.17.0.1']],
  ['cgnat.evil.example', ['100.64.10.10']],
  ['unique-local.evil.example', ['fd00::5']],
  ['link-local.evil.example', ['fe80::1']],
  ['zone.evil.example', ['fe80::1%lo']],
  ['zone-loopback.evil.example', ['::1%lo']],
  ['multicast.evil.example', ['224.0.0.251', 'ff02::fb']],
  ['broadcast.evil.example', ['255.255.255.255']],
  ['single-label', ['10.96.0.1']],
  ['all-private.evil.example', ['127.0.0.1', '10.0.0.1', '::1', 'fd00::1', '192.168.0.1']],
  ['odd.evil.example', ['0x7f000001']],
  ['octal.evil.example', ['0177.0.0.1']],
  ['short.evil.example', ['127.1']],
  ['name.evil.example', ['localhost']],
];

const resolveTable: ResolveAddresses = (host) =>
  Promise.resolve(resolutions.find(([name]) => new URL(`http://${name}`).hostname === host)?.[1] ?? []);

describe('a callback whose URL was not checked before it was sent', () => {
  test.each([...loopbackSpellings, ...otherSpellings])('does not connect to %s', async (host) => {
    await using callbacks = new CheckedCallbacks();
    const outcome = await callbacks.post(`http://${host}:${trap.port}/`);
    expect(outcome).toMatchObject({ kind: 'unreachable', error: expect.any(CallbackRefusedError) });
    expect(callbacks.sockets).toEqual([]);
    expect(trap.reached).toEqual([]);
  });

  test.each(resolutions)('does not connect to %s, which is %s', async (host) => {
    await using callbacks = new CheckedCallbacks({ resolve: resolveTable });
    const outcome = await callbacks.post(`http://${host}:${trap.port}/`);
    expect(outcome).toMatchObject({ kind: 'unreachable', error: expect.any(CallbackRefusedError) });
    expect(callbacks.sockets).toEqual([]);
    expect(trap.reached).toEqual([]);
  });

  test.each(loopbackSpellings)('would reach the trap at %s if everything were allowed', async (host) => {
    await using callbacks = new CheckedCallbacks({ env: { CALLBACK_ALLOW: '0.0.0.0/0,::/0' } });
    expect(await callbacks.post(`http://${host}:${trap.port}/`)).toMatchObject({ kind: 'answer', status: 204 });
    expect(trap.reached).toHaveLength(1);
  });

  test('does not connect over TLS either', async () => {
    await using callbacks = new CheckedCallbacks({ resolve: resolveTable });
    for (const host of ['127.0.0.1', '[::1]', 'loopback.evil.example']) {
      const outcome = await callbacks.post(`https://${host}:${trap.port}/`);
      expect(outcome).toMatchObject({ kind: 'unreachable', error: expect.any(CallbackRefusedError) });
    }
    expect(callbacks.sockets).toEqual([]);
    expect(trap.reached).toEqual([]);
  });
});

test('a receiver must have a certificate for its name, at whatever address it is', async () => {
  const { certificate, key, authority } = readTestCertificates();
  const names: unknown[] = [];
  const SNICallback: TlsOptions['SNICallback'] = (name, done) => {
    names.push(name);
    done(null);
  };
  const server = createServer({ cert: certificate, key, SNICallback }, (_, response) => void response.end());
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const resolve: ResolveAddresses = () => Promise.resolve(['127.0.0.1']);
  await using callbacks = new CheckedCallbacks({ env: { CALLBACK_ALLOW: '127.0.0.1' }, resolve, ca: authority });
  expect(await callbacks.post(`https://server.test:${port}/`)).toMatchObject({ kind: 'answer', status: 200 });
  expect(await callbacks.post(`https://other.test:${port}/`)).toMatchObject({
    kind: 'unreachable',
    code: 'ERR_TLS_CERT_ALTNAME_INVALID',
  });
  expect(names).toEqual(['server.test', 'other.test']);
  server.close();
});

test('every address is refused already when a call is accepted, as is localhost', () => {
  const { policy } = new CheckedCallbacks();
  const names = ['localhost', 'localhost.', 'LOCALHOST', 'app.localhost'];
  for (const host of [...loopbackSpellings, ...otherSpellings, ...names]) {
    expect([host, policy.objectTo(new URL(`http://${host}:8080/`))?.rule]).toEqual([host, 'CALLBACK_ALLOW']);
  }
});

test('names are looked up in the hosts file by default, and its addresses are checked', async () => {
  await using callbacks = new CheckedCallbacks();
  const outcome = await callbacks.post(`http://localhost:${trap.port}/`);
  expect(outcome).toMatchObject({ kind: 'unreachable', error: expect.any(CallbackRefusedError) });
  await using allowed = new CheckedCallbacks({ env: { CALLBACK_ALLOW: '127.0.0.0/8,::1' } });
  expect(await allowed.post(`http://localhost:${trap.port}/`)).toMatchObject({ kind: 'answer' });
});

test('the answer of a DNS server is checked for each connection, even while it is kept', async () => {
  const inside = ['127.0.0.1', '::1', '10.0.0.5', '169.254.169.254', 'fd00::5'];
  await using dns = await startDnsServer(() => inside);
  const stop = new AbortController();
  const logger = createLogger({ name: 'worker', level: 'fatal', format: 'json' });
  const names = new NameResolver({ servers: [dns.address], logger, signal: stop.signal });
  const resolve: ResolveAddresses = (host) => names.resolve(host, { submitter: undefined, waitMs: 0 });
  await using callbacks = new CheckedCallbacks({ resolve });
  for (const _ of ['asked', 'kept']) {
    expect(await callbacks.post(`http://rebinding.example:${trap.port}/`)).toMatchObject({
      kind: 'unreachable',
      error: expect.any(CallbackRefusedError),
    });
  }
  await using allowed = new CheckedCallbacks({ env: { CALLBACK_ALLOW: '127.0.0.1' }, resolve });
  expect(await allowed.post(`http://rebinding.example:${trap.port}/`)).toMatchObject({ kind: 'answer' });
  expect(dns.questions).toHaveLength(2); // one for each family
  expect(trap.reached.map(withoutPrefix)).toEqual(['127.0.0.1']);
});

describe('of several addresses', () => {
  const env = { CALLBACK_ALLOW: '127.0.0.1' };
  const resolve =
    (...addresses: string[]): ResolveAddresses =>
    () =>
      Promise.resolve(addresses);

  test('those that are refused are not tried, whichever comes first', async () => {
    await using callbacks = new CheckedCallbacks({ env, resolve: resolve('::1', '10.0.0.1', '127.0.0.1', 'fd00::1') });
    expect(await callbacks.post(`http://mixed.example:${trap.port}/`)).toMatchObject({ kind: 'answer', status: 204 });
    expect(callbacks.sockets).toHaveLength(1);
    expect(trap.reached.map(withoutPrefix)).toEqual(['127.0.0.1']);
  });

  test('the next is tried if one does not accept the connection', async () => {
    await using callbacks = new CheckedCallbacks({
      env: { CALLBACK_ALLOW: '127.0.0.1,::2' },
      resolve: resolve('::2', '127.0.0.1'),
    });
    expect(await callbacks.post(`http://mixed.example:${trap.port}/`)).toMatchObject({ kind: 'answer', status: 204 });
    expect(callbacks.sockets).toHaveLength(2);
  });

  test('none at all means a receiver that is not reachable now', async () => {
    await using callbacks = new CheckedCallbacks({ resolve: resolve() });
    const outcome = await callbacks.post('http://empty.example/');
    expect(outcome).toMatchObject({ kind: 'unreachable', error: { message: 'the host has no address' } });
  });

  test('a resolver that fails means a receiver that is not reachable now', async () => {
    await using callbacks = new CheckedCallbacks({ resolve: () => Promise.reject(new Error('ESERVFAIL')) });
    const outcome = await callbacks.post('http://failing.example/');
    expect(outcome).toMatchObject({ kind: 'unreachable', error: { message: 'ESERVFAIL' } });
  });
});

describe('a name that changes its address between two lookups', () => {
  const env = { CALLBACK_ALLOW: '127.0.0.1' };

  /** Answers each question with the next address. */
  function rebinding(...answers: string[]) {
    const asked: string[] = [];
    const resolve: ResolveAddresses = (host) => {
      asked.push(host);
      return Promise.resolve([answers[asked.length - 1] ?? 'none left']);
    };
    return { asked, resolve };
  }

  test('is connected to at the address that was checked: there is no second lookup', async () => {
    const { asked, resolve } = rebinding('127.0.0.1', '::1');
    await using callbacks = new CheckedCallbacks({ env, resolve });
    expect(await callbacks.post(`http://rebinding.example:${trap.port}/`)).toMatchObject({ kind: 'answer' });
    expect(asked).toEqual(['rebinding.example']);
    expect(trap.reached.map(withoutPrefix)).toEqual(['127.0.0.1']);
  });

  test('is checked again for the next connection', async () => {
    const { asked, resolve } = rebinding('127.0.0.1', '::1', '127.0.0.1');
    await using callbacks = new CheckedCallbacks({ env, resolve });
    const url = `http://rebinding.example:${trap.port}/`;
    // The trap closes each connection after its answer.
    const kinds = [await callbacks.post(url), await callbacks.post(url), await callbacks.post(url)].map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(['answer', 'unreachable', 'answer']);
    expect(asked).toHaveLength(3);
    expect(trap.reached.map(withoutPrefix)).toEqual(['127.0.0.1', '127.0.0.1']);
  });
});

/** A server that listens for both families sees IPv4 as IPv4-mapped. */
function withoutPrefix(address: string): string {
  return address.replace('::ffff:', '');
}
