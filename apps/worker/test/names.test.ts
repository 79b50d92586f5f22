import { setMaxListeners } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger } from '@asyncfn/service-kit';
import { type DnsServer, eventually, startDnsServer } from '@asyncfn/testkit';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NameResolver } from '../src/names/name-resolver.ts';
import { SystemNames } from '../src/names/system-names.ts';

interface Machine {
  readonly hosts?: string;
  readonly resolvConf?: string;
  /** Default: the name does not exist. */
  readonly answer?: DnsServer['answer'];
  readonly deadlineMs?: number;
}

const logger = createLogger({ name: 'worker', level: 'fatal', format: 'json' });

/** Resolves names as on a machine with these files and this DNS server, which really answers. */
async function startMachine({ hosts = '', resolvConf = '', answer = () => 'no such name', deadlineMs }: Machine) {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-names-'));
  const files = { hostsFile: join(folder, 'hosts'), resolvConf: join(folder, 'resolv.conf') };
  await writeFile(files.hostsFile, hosts);
  await writeFile(files.resolvConf, resolvConf);
  const dns = await startDnsServer(answer);
  const stop = new AbortController();
  setMaxListeners(0, stop.signal); // as the worker does
  let now = 1_000_000;
  const system = new SystemNames({ logger, ...files, now: () => now });
  const names = new NameResolver({ servers: [dns.address], logger, system, signal: stop.signal, deadlineMs });
  onTestFinished(async () => {
    stop.abort();
    await dns[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });
  return {
    dns,
    stop,
    files,
    pass: (ms: number): void => {
      now += ms;
    },
    resolve: (name: string, submitter?: string, waitMs = 0) => names.resolve(name, { submitter, waitMs }),
  };
}

const asked = ({ questions }: DnsServer): string[] => [...new Set(questions.map(({ name }) => name))];

describe('a name', () => {
  test('of the hosts file is known without a DNS server', async () => {
    const { resolve, dns } = await startMachine({
      hosts: '172.17.0.1 host.docker.internal\nfd00::5 host.docker.internal',
    });
    expect(await resolve('HOST.docker.internal')).toEqual(['172.17.0.1', 'fd00::5']);
    expect(dns.questions).toEqual([]);
  });

  test('of a hosts file that changes is known a second later', async () => {
    const { resolve, files, pass } = await startMachine({ hosts: '10.0.0.1 inbox' });
    expect(await resolve('inbox')).toEqual(['10.0.0.1']);
    await writeFile(files.hostsFile, '10.0.0.222 inbox');
    pass(1_000);
    expect(await resolve('inbox')).toEqual(['10.0.0.222']);
  });

  test.each(['localhost', 'localhost.', 'LOCALHOST', 'app.localhost'])('%s is this machine', async (name) => {
    const { resolve, dns } = await startMachine({});
    expect(await resolve(name)).toEqual(['127.0.0.1', '::1']);
    expect(dns.questions).toEqual([]);
  });

  test('of a service in a compose file is asked for as it is', async () => {
    const answer: DnsServer['answer'] = ({ name }) => (name === 'inbox' ? ['172.18.0.3'] : 'no such name');
    const { resolve, dns } = await startMachine({ resolvConf: 'options ndots:0', answer });
    expect(await resolve('inbox')).toEqual(['172.18.0.3']);
    expect(asked(dns)).toEqual(['inbox']);
  });

  test.each<['no such name' | 'failure' | string[]]>([['no such name'], ['failure'], [[]]])(
    'of a service in Kubernetes is found by the search list, if others are answered %j',
    async (others) => {
      const { resolve, dns } = await startMachine({
        resolvConf: 'search team.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5',
        answer: ({ name }) => (name === 'inbox.other.svc.cluster.local' ? ['10.96.3.4'] : others),
      });
      expect(await resolve('inbox.other')).toEqual(['10.96.3.4']);
      expect(asked(dns)).toEqual(['inbox.other.team.svc.cluster.local', 'inbox.other.svc.cluster.local']);
    },
  );

  test('has its addresses in turn, IPv4 first', async () => {
    const addresses = ['192.0.2.1', '192.0.2.2', '192.0.2.3', '2001:db8::1', '2001:db8::2'];
    const { resolve } = await startMachine({ answer: () => addresses });
    const found = await resolve('both.example');
    expect(found.map((address) => (address.includes(':') ? 6 : 4))).toEqual([4, 6, 4, 6, 4]);
    expect(found.toSorted()).toEqual(addresses.toSorted());
  });

  test('with addresses of one family is found, and the server need not answer for the other one', async () => {
    const { resolve } = await startMachine({ answer: ({ type }) => (type === 'AAAA' ? 'silence' : ['192.0.2.1']) });
    expect(await resolve('ipv4.example')).toEqual(['192.0.2.1']);
    const other = await startMachine({ answer: () => ['2001:db8::1'] });
    expect(await other.resolve('ipv6.example')).toEqual(['2001:db8::1']);
  });

  test.each([
    ['that does not exist', 'no such name', 'ENOTFOUND'],
    ['that has no address', [], 'ENODATA'],
    ['that the server fails for', 'failure', 'ESERVFAIL'],
  ] as const)('%s is an error with the code of it', async (_, answer, code) => {
    const { resolve } = await startMachine({ answer: () => answer });
    await expect(resolve('absent.example')).rejects.toMatchObject({ name: 'NameLookupError', code });
  });
});

describe('a lookup', () => {
  test('that is not answered ends at its deadline, whatever the search list holds, and leaves no question open', async () => {
    const { resolve, dns } = await startMachine({
      resolvConf: 'search a.example b.example c.example\noptions ndots:5',
      answer: () => 'silence',
      deadlineMs: 300,
    });
    const startedAt = performance.now();
    await expect(resolve('tarpit')).rejects.toMatchObject({
      code: 'ETIMEOUT',
      message: "no DNS server has returned the host's address within 300 ms",
    });
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(290);
    expect(asked(dns)).toEqual(['tarpit.a.example']);
  });

  test('ends when the worker stops', async () => {
    const { resolve, stop, dns } = await startMachine({ answer: () => 'silence' });
    const lookup = resolve('tarpit.example');
    const failed = expect(lookup).rejects.toMatchObject({ code: 'ECANCELLED' });
    await eventually(() => dns.questions.length > 0);
    stop.abort();
    await failed;
  });

  test('is made once for all callers in the meantime, and its answer is kept', async () => {
    const { resolve, dns } = await startMachine({ answer: () => ['192.0.2.1'] });
    await Promise.all([resolve('inbox.example', 'a'), resolve('INBOX.example', 'b'), resolve('inbox.example', 'a')]);
    await resolve('inbox.example');
    expect(dns.questions).toHaveLength(2); // one for each family
  });

  test('is made again when the answer is no longer valid', async () => {
    const { resolve, dns } = await startMachine({ answer: () => ['192.0.2.1'] });
    dns.ttl = 1;
    expect(await resolve('inbox.example')).toEqual(['192.0.2.1']);
    dns.answer = () => ['192.0.2.2'];
    expect(await resolve('inbox.example')).toEqual(['192.0.2.1']);
    await eventually(async () => (await resolve('inbox.example'))[0] === '192.0.2.2');
  });

  test('that has failed is not repeated at once', async () => {
    const { resolve, dns } = await startMachine({});
    await expect(resolve('absent.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    const { length } = dns.questions;
    await expect(resolve('absent.example')).rejects.toMatchObject({ code: 'ENOTFOUND' });
    expect(dns.questions).toHaveLength(length);
  });
});

describe('names that are not answered', () => {
  const answer: DnsServer['answer'] = ({ name }) => (name.endsWith('tarpit.example') ? 'silence' : ['192.0.2.1']);

  test('take no more than the share of their caller, and leave the others theirs', async () => {
    const { resolve, dns, stop } = await startMachine({ answer });
    const lookups = Array.from({ length: 300 }, (_, index) => resolve(`n${index}.tarpit.example`, 'hostile'));
    const results = Promise.allSettled(lookups);
    await eventually(() => asked(dns).length >= 50);
    expect(await resolve('inbox.example', 'other')).toEqual(['192.0.2.1']);
    expect(asked(dns)).toHaveLength(51);
    stop.abort();
    const codes = (await results).map((result) => result.status === 'rejected' && result.reason.code);
    expect(codes.filter((code) => code === 'names_busy')).toHaveLength(250);
  });

  test('leave room for a name of the same caller that was answered lately', async () => {
    const { resolve, dns } = await startMachine({ answer, deadlineMs: 60_000 });
    dns.ttl = 1;
    await resolve('inbox.example');
    const lookups = Array.from({ length: 300 }, (_, index) => resolve(`n${index}.tarpit.example`));
    void Promise.allSettled(lookups);
    await eventually(() => asked(dns).length >= 100);
    await eventually(async () => {
      expect(await resolve('inbox.example')).toEqual(['192.0.2.1']);
      return dns.questions.filter(({ name }) => name === 'inbox.example').length === 4;
    });
  });
});
