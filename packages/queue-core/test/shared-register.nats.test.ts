import { setTimeout as delay } from 'node:timers/promises';
import type { NatsServer } from '@asyncfn/nats-server';
import { eventually } from '@asyncfn/testkit';
import { Kvm } from '@nats-io/kv';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseFunctions } from '../src/functions/document/functions-document.ts';
import {
  type FileDefinition,
  FunctionRegister,
  type KnownFunction,
  withApi,
  withoutApi,
  withoutFile,
} from '../src/functions/index.ts';
import { QueueTopology, SharedRegister } from '../src/jetstream/index.ts';
import { FunctionBucket } from '../src/jetstream/register/function-bucket.ts';
import { createBroker, type RecordingLogger, startServer } from './connected.ts';
import { openManager } from './harness.ts';

let server: NatsServer;

beforeEach(async () => {
  server = await startServer();
});

afterEach(() => server.stop());

interface Member extends AsyncDisposable {
  readonly shared: SharedRegister;
  readonly register: FunctionRegister;
  readonly logger: RecordingLogger;
}

/** A process that shares the register. */
function join(text = '', defaultNamespace?: string): Member {
  const { broker, logger } = createBroker(server.url);
  const topology = new QueueTopology(broker, {
    replicas: 1,
    ackWaitMs: 30_000,
    ownsLanes: true,
    queues: () => [],
    logger,
    onFatal: () => {},
  });
  const register = new FunctionRegister();
  const shared = new SharedRegister({ broker, topology, register, file: file(text, defaultNamespace), logger });
  broker.start();
  return { shared, register, logger, [Symbol.asyncDispose]: () => broker.stop() };
}

async function joined(text = '', defaultNamespace?: string): Promise<Member> {
  const member = join(text, defaultNamespace);
  await eventually(
    () => member.shared.complete && member.shared.list().every(({ revision }) => revision !== undefined),
  );
  return member;
}

function file(text: string, defaultNamespace?: string): FileDefinition {
  const parsed = parseFunctions(text, { defaultNamespace });
  if (parsed.kind === 'refused') {
    throw new Error('a test needs a good file');
  }
  return text === '' ? withoutFile(defaultNamespace) : parsed.definition;
}

function put({ shared }: Member, name: string, url: string) {
  return shared.change(name, () => ({ kind: 'put', entry: { source: 'api', paused: false, settings: { url } } }));
}

function url({ register }: Member, name: string): string | undefined {
  return register.lookup(name)?.url;
}

/** A change by a client that has read the function before. */
function changeRead({ shared }: Member, read: KnownFunction | undefined, newUrl: string) {
  return shared.change('a', (there) =>
    there?.revision === read?.revision
      ? { kind: 'put', entry: { source: 'api', paused: false, settings: { url: newUrl } } }
      : { kind: 'refuse' },
  );
}

function pause({ shared }: Member, name: string, paused: boolean) {
  return shared.change(name, (there) => ({ kind: 'put', entry: { ...there!.entry, paused } }));
}

/** Two seconds are promised; a busy machine takes longer, and waiting for the next check would take minutes. */
const soon = { timeoutMs: 20_000 };

test('a worker may resume the consumer of a function that is not paused, once its gateway has had the time to', async () => {
  await using one = await joined();
  await put(one, 'a', 'http://a');
  await pause(one, 'a', true);
  expect(await one.shared.mayResume('a')).toBe('paused');
  await pause(one, 'a', false);
  await eventually(async () => (await one.shared.mayResume('a')) === 'yes');
  expect(await one.shared.mayResume('unknown')).toBe('yes');
});

describe('a change of the register', () => {
  test('is live at once in the process that makes it, and soon everywhere else', async () => {
    await using one = await joined();
    await using two = await joined();
    await put(one, 'a', 'http://a');
    expect(url(one, 'a')).toBe('http://a');
    await eventually(() => url(two, 'a') === 'http://a', soon);
    await two.shared.change('a', () => ({ kind: 'remove' }));
    expect(url(two, 'a')).toBeUndefined();
    await eventually(() => url(one, 'a') === undefined, soon);
    expect(await put(one, 'a', 'http://again')).toMatchObject({ kind: 'changed', created: true });
  });

  test('of two that were decided on the same revision, one succeeds', async () => {
    await using one = await joined();
    await using two = await joined();
    await put(one, 'a', 'http://a');
    const read = one.shared.find('a');
    const results = await Promise.all([changeRead(one, read, 'http://one'), changeRead(two, read, 'http://two')]);
    expect(results.map(({ kind }) => kind).sort()).toEqual(['changed', 'refused']);
    const winner = results[0]?.kind === 'changed' ? 'http://one' : 'http://two';
    await eventually(() => url(one, 'a') === winner && url(two, 'a') === winner);
  });

  test('that depends on no revision succeeds beside many others', async () => {
    await using one = await joined();
    await using two = await joined();
    const members = [one, two, one, two];
    const results = await Promise.all(members.map((member, index) => put(member, 'a', `http://${index}`)));
    expect(results.map(({ kind }) => kind)).toEqual(members.map(() => 'changed'));
    expect(results.filter((result) => result.kind === 'changed' && result.created)).toHaveLength(1);
  });

  test('cannot be made while the broker is away, and the known settings stay in force', async () => {
    await using one = await joined();
    await put(one, 'a', 'http://a');
    server.signal('SIGTERM');
    await server.exited;
    await expect(put(one, 'b', 'http://b')).rejects.toMatchObject({ code: 'broker' });
    expect(url(one, 'a')).toBe('http://a');
  });
});

describe('a function whose namespace may be omitted', () => {
  const moved = 'a function was moved to its name without the default namespace';
  const merged = 'two functions are one by the default namespace, and the settings of one of them are dropped';

  test('moves to its short name when the first process knows of it, with all of its settings', async () => {
    await using old = await joined();
    await put(old, 'a.fn', 'http://a');
    await old.shared.change('a.fn', (there) => ({ kind: 'put', entry: { ...there!.entry, paused: true } }));
    await using one = await joined('', 'fn');
    await using two = await joined('', 'fn');
    await eventually(() =>
      [old, one, two].every(
        ({ shared }) =>
          shared
            .list()
            .map(({ name }) => name)
            .join() === 'a',
      ),
    );
    for (const { register } of [old, one, two]) {
      expect(register.lookup('a.fn')).toMatchObject({ name: 'a', url: 'http://a' });
      expect([register.isPaused('a'), register.isPaused('a.fn')]).toEqual([true, true]);
    }
    expect([...one.logger.messages, ...two.logger.messages].filter((message) => message === moved)).toHaveLength(1);
    await using look = await openManager(server.url);
    const bucket = await new Kvm(look.connection).open('FUNCTIONS');
    expect((await bucket.get('a.fn'))?.operation).toBe('DEL');
  });

  test('that is stored under both names has the settings of its short name, and the log says what is dropped', async () => {
    await using old = await joined();
    await put(old, 'a', 'http://short');
    await put(old, 'a.fn', 'http://secret:word@long');
    await using one = await joined('', 'fn');
    await eventually(() => one.logger.messages.includes(merged));
    expect(one.shared.list()).toMatchObject([{ name: 'a', entry: { settings: { url: 'http://short' } } }]);
    const said = one.logger.lines.find(({ message }) => message === merged);
    expect(said?.fields).toEqual({ function: 'a', dropped: 'a.fn', settings: ['defaultNamespace', 'url'] });
    expect(JSON.stringify(one.logger.lines)).not.toContain('secret');
  });

  test('of a stack is one function for processes that know nothing of the stack', async () => {
    await using without = await joined();
    await using _ = await joined('provider: { name: openfaas, gateway: http://gw }\nfunctions: { a: {} }');
    await eventually(() => url(without, 'a.openfaas-fn') === 'http://gw/function/a');
    expect(without.register.resolve('a.openfaas-fn')).toBe('a');
    expect(url(without, 'b.openfaas-fn')).toBeUndefined();
  });

  test('is removed for good under either name', async () => {
    await using old = await joined();
    await put(old, 'a.fn', 'http://a');
    await using one = await joined('', 'fn');
    expect(await one.shared.read('a')).toMatchObject({ name: 'a' });
    expect(await one.shared.change('a', (there) => (there ? { kind: 'remove' } : { kind: 'refuse' }))).toMatchObject({
      kind: 'changed',
    });
    await eventually(() => old.shared.list().length === 0);
    expect(one.shared.list()).toEqual([]);
  });

  test('is logged once if another process omits another namespace', async () => {
    await using one = await joined('functions: { a: { url: http://a }, b: { url: http://b } }', 'fn');
    await using two = await joined('', 'openfaas-fn');
    await using three = await joined();
    await put(one, 'c', 'http://c');
    await eventually(() => url(two, 'c') !== undefined && url(three, 'c') !== undefined);
    const told = (member: Member) =>
      member.logger.lines.filter(({ message }) => message.startsWith('another process has another default namespace'));
    expect(told(two).map(({ fields }) => fields)).toEqual([{ defaultNamespace: 'openfaas-fn', theirs: 'fn' }]);
    expect([...told(one), ...told(three)]).toEqual([]);
  });
});

describe('a process', () => {
  test('that starts without the broker uses its file, and the register once that is there', async () => {
    await using first = await joined();
    await put(first, 'a', 'http://a');
    server.signal('SIGTERM');
    await server.exited;
    await using late = join('functions: { b: { url: http://b } }');
    expect(url(late, 'b')).toBe('http://b');
    expect(late.shared.complete).toBe(false);
    await server.restart();
    await eventually(() => url(late, 'a') === 'http://a' && url(first, 'b') === 'http://b');
    expect(late.shared.complete).toBe(true);
  });

  test('does not know who is paused until the register is there', async () => {
    await using first = await joined('functions: { a: { url: http://a }, b: { url: http://b } }');
    await first.shared.change('a', (there) => ({ kind: 'put', entry: { ...there!.entry, paused: true } }));
    await using late = join('functions: { a: { url: http://a } }');
    const seen = new Set<boolean | undefined>([late.register.isPaused('a')]);
    late.register.onChange(() => seen.add(late.register.isPaused('a')));
    await eventually(() => late.shared.complete);
    expect(seen).toEqual(new Set([undefined, true]));
    expect(late.register.isPaused('b')).toBe(false);
  });

  test('knows the paused functions from the first, however often entries are written while it reads them', async () => {
    await using first = await joined();
    for (let each = 0; each < 20; each++) {
      await put(first, `f${each}`, 'http://f');
    }
    const rewrite = (name: string, url: string) =>
      first.shared.change(name, () => ({ kind: 'put', entry: { source: 'api', paused: true, settings: { url } } }));
    await rewrite('held', 'http://held');
    const stop = new AbortController();
    const writing = (async () => {
      for (let count = 0; !stop.signal.aborted; count++) {
        await rewrite('held', `http://held-${count}`);
      }
    })();
    for (let round = 0; round < 30; round++) {
      await using late = join('functions: { held: { url: http://held } }');
      const seen = new Set<boolean | undefined>();
      late.register.onChange(() => seen.add(late.register.isPaused('held')));
      await eventually(() => late.shared.complete, { intervalMs: 1 });
      expect(seen).not.toContain(false);
    }
    stop.abort();
    await writing;
  });

  test('is not current on a connection until it has read the register there', async () => {
    await using one = await joined('functions: { a: { url: http://a } }');
    await using two = await joined();
    expect(one.shared.current).toBe(true);
    server.signal('SIGTERM');
    await server.exited;
    await eventually(() => !one.shared.current);
    expect(one.shared.complete).toBe(true);
    const seen: (boolean | undefined)[] = [];
    one.register.onChange(() => one.shared.current && seen.push(one.register.isPaused('a')));
    await server.restart();
    await eventually(() => two.shared.current);
    await two.shared.change('a', (there) => ({ kind: 'put', entry: { ...there!.entry, paused: true } }));
    await eventually(() => one.shared.current && one.register.isPaused('a') === true);
    expect(seen.length).toBeGreaterThan(0);
  });

  test('catches up by itself after an outage', async () => {
    await using one = await joined();
    await using two = await joined();
    await put(one, 'a', 'http://a');
    await server.restart();
    await eventually(() =>
      put(one, 'a', 'http://changed').then(
        () => true,
        () => false,
      ),
    );
    await eventually(() => url(two, 'a') === 'http://changed');
    await put(two, 'b', 'http://b');
    await eventually(() => url(one, 'b') === 'http://b');
  });

  test('writes its file below the settings of the API and over that of another, and logs each difference once', async () => {
    await using one = await joined(
      'functions: { a: { url: http://secret:word@one, concurrency: 1 }, b: { url: http://one } }',
    );
    await one.shared.change('a', (there) => ({ kind: 'put', entry: withApi(there?.entry, { url: 'http://api' }) }));
    await using two = await joined('functions: { a: { url: http://secret:word@two }, b: { url: http://two } }');
    expect([url(two, 'a'), url(two, 'b')]).toEqual(['http://api', 'http://two']);
    await eventually(() => url(one, 'b') === 'http://two');
    const logged = two.logger.lines.filter(({ message }) => message.includes('overrides'));
    expect(logged).toMatchObject([
      { message: 'the API overrides the functions file', fields: { function: 'a', settings: ['url'] } },
      { message: 'the functions file overrides another', fields: { function: 'b', settings: ['url'] } },
    ]);
    expect(JSON.stringify(two.logger.lines)).not.toContain('secret');
    expect(one.logger.messages).not.toContain('the functions file overrides another');
    expect(url(one, 'a')).toBe('http://api');
    await one.shared.change('a', (there) => ({ kind: 'put', entry: withoutApi(there!.entry)! }));
    await eventually(() => url(two, 'a') === 'http://secret:word@two');
  });

  test("keeps the API's settings of an earlier version, and a pause, and adds its file", async () => {
    await using one = await joined();
    await one.shared.change('a', () => ({
      kind: 'put',
      entry: { source: 'api', paused: true, settings: { url: 'http://api' } },
    }));
    await using two = await joined('functions: { a: { url: http://file } }');
    await eventually(() => one.shared.find('a')?.entry.file !== undefined);
    expect(one.shared.find('a')?.entry).toEqual({
      source: 'api',
      paused: true,
      settings: { url: 'http://api' },
      file: { url: 'http://file' },
    });
    two.shared.takeFile(file(''));
    await eventually(() => one.shared.find('a')?.entry.file === undefined);
    expect(url(one, 'a')).toBe('http://api');
  });

  test('whose file differs from that of another does not fight over it', async () => {
    await using one = await joined('functions: { a: { url: http://one } }');
    await using two = await joined('functions: { a: { url: http://two } }');
    await eventually(() => url(one, 'a') === 'http://two');
    const { revision } = two.shared.find('a')!;
    for (const { shared } of [one, two, one, two]) {
      await shared.check();
    }
    await put(one, 'other', 'http://other');
    expect(one.shared.find('a')?.revision).toBe(revision);
  });

  test('stores a change of its file in the register', async () => {
    await using one = await joined('functions: { a: { url: http://a }, b: { url: http://b } }');
    await using two = await joined();
    one.shared.takeFile(file('functions: { b: { url: http://changed }, c: { url: http://c } }'));
    expect([url(one, 'a'), url(one, 'b'), url(one, 'c')]).toEqual([undefined, 'http://changed', 'http://c']);
    await eventually(() => url(two, 'a') === undefined && url(two, 'b') === 'http://changed');
    await eventually(() => url(two, 'c') === 'http://c');
  });

  test('passes over entries that it cannot read, logs them, and goes on', async () => {
    await using one = await joined();
    await using look = await openManager(server.url);
    const bucket = await new Kvm(look.connection).open('FUNCTIONS');
    await bucket.put('later', '{"v":2}');
    await bucket.put('a/b', 'no name');
    await put(one, 'a', 'http://a');
    await eventually(() => one.logger.lines.filter(({ message }) => /cannot be read/.test(message)).length >= 2);
    expect(one.shared.list().map(({ name }) => name)).toEqual(['a']);
    await using two = await joined();
    expect(two.shared.list().map(({ name }) => name)).toEqual(['a']);
  });

  test('restores a deleted register', async () => {
    await using one = await joined('functions: { a: { url: http://a } }');
    await using two = await joined();
    await put(one, 'b', 'http://b');
    await eventually(() => url(two, 'b') === 'http://b');
    await using look = await openManager(server.url);
    await look.manager.streams.delete('KV_FUNCTIONS');
    await Promise.allSettled([one.shared.check(), two.shared.check()]);
    await using three = join();
    await eventually(() => url(three, 'a') === 'http://a' && url(three, 'b') === 'http://b');
    expect([url(one, 'a'), url(one, 'b')]).toEqual(['http://a', 'http://b']);
    await put(three, 'c', 'http://c');
    await eventually(() => url(one, 'c') === 'http://c' && url(two, 'c') === 'http://c');
  });
});

test('the register outlives all processes and the broker', async () => {
  {
    await using one = await joined();
    await put(one, 'a', 'http://a');
  }
  await server.restart();
  await using two = await joined();
  expect(two.shared.find('a')).toMatchObject({ entry: { source: 'api', settings: { url: 'http://a' } } });
});

test('the task that follows the register ends, even if it is stopped before it has begun', async () => {
  await using _ = await joined('functions: { a: { url: http://a } }');
  await using look = await openManager(server.url);
  const layout = { ensure: () => look.manager.streams.info('KV_FUNCTIONS'), replicas: 1 };
  const bucket = await FunctionBucket.open(look.manager, layout);
  const stored: string[] = [];
  const follower = { onStored: (name: string) => void stored.push(name), onComplete: () => {} };
  await bucket.follow(follower, AbortSignal.abort());
  expect(stored).toEqual([]);
});

test('a process that closes its connection does not open the register again', async () => {
  const member = await joined('functions: { a: { url: http://a } }');
  const before = member.logger.lines.length;
  await member[Symbol.asyncDispose]();
  // It would try 100 ms after the connection has ended.
  await delay(500);
  expect(member.logger.lines.slice(before)).toEqual([]);
});
