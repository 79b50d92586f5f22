import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { FileDefinition, KnownFunction, OpenfaasSource } from '@asyncfn/queue-core/functions';
import { parseFunctionsFile } from '@asyncfn/queue-core/functions';
import { createLogger } from '@asyncfn/service-kit';
import { freePort, type OpenfaasFunction, startOpenfaas } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { DiscoveredFunctions } from './discovered-functions.ts';
import { toFound, withFound } from './found-functions.ts';
import { listFunctions } from './list-functions.ts';

const signal = new AbortController().signal;
const anywhere = '/etc/asyncfn/functions.yaml';
const env: OpenfaasFunction = { name: 'env', namespace: 'openfaas-fn' };
const figlet: OpenfaasFunction = { name: 'figlet', namespace: 'team-a' };

function sourceOf(url: string, more: Partial<OpenfaasSource> = {}): OpenfaasSource {
  return { url, user: 'admin', tokenFile: undefined, everyMs: 30_000, ...more };
}

function fileOf(text: string): FileDefinition {
  const parsed = parseFunctionsFile(text, 'functions.yaml', {});
  if (parsed.kind === 'refused') {
    throw new Error(parsed.problems.join('\n'));
  }
  return parsed.settings;
}

describe('the list of an OpenFaaS', () => {
  test('has the functions of all namespaces, with their annotations', async () => {
    await using openfaas = await startOpenfaas();
    openfaas.functions = [{ ...env, annotations: { topic: 'a' } }, figlet];
    expect(await listFunctions(sourceOf(openfaas.url), anywhere, signal)).toEqual([
      { ...env, annotations: { topic: 'a' } },
      { ...figlet, annotations: {} },
    ]);
  });

  test('without namespaces is asked for once', async () => {
    await using openfaas = await startOpenfaas({ hasNamespaces: false });
    openfaas.functions = [env];
    expect(await listFunctions(sourceOf(openfaas.url), anywhere, signal)).toMatchObject([env]);
  });

  test('is asked for with the password of the file, which is read each time and may be beside the functions file', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'discovery-'));
    try {
      await using openfaas = await startOpenfaas({ credentials: { user: 'reader', password: 'right' } });
      const source = sourceOf(openfaas.url, { user: 'reader', tokenFile: 'password' });
      const look = () => listFunctions(source, join(folder, 'functions.yaml'), signal);
      await expect(look()).rejects.toThrow(/ENOENT.*password/);
      await writeFile(join(folder, 'password'), 'wrong');
      await expect(look()).rejects.toThrow(
        'GET /system/namespaces: 401: are user and tokenFile those of this OpenFaaS?',
      );
      await writeFile(join(folder, 'password'), 'right\n');
      expect(await look()).toEqual([]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  test.each([
    [
      'is down',
      (url: string) => (url ? { status: 502, text: 'bad gateway' } : undefined),
      'GET /system/namespaces: 502',
    ],
    ['is something else', () => ({ status: 200, text: '<html>' }), 'is this the gateway of an OpenFaaS?'],
    ['answers with an object', () => ({ status: 200, text: '{}' }), 'GET /system/namespaces: is no list of names'],
    [
      'has a function without a name',
      (url: string) => ({ status: 200, text: url.includes('namespaces') ? '["a"]' : '[{}]' }),
      'GET /system/functions?namespace=a: the answer has a function without a name',
    ],
    [
      'fails for one of two namespaces',
      (url: string) =>
        url.endsWith('=b')
          ? { status: 500, text: '' }
          : { status: 200, text: url.includes('namespaces') ? '["a","b"]' : '[]' },
      'GET /system/functions?namespace=b: 500',
    ],
  ])('is refused whole if the gateway %s', async (_, answer, problem) => {
    await using openfaas = await startOpenfaas();
    openfaas.handler = ({ url }, response) => {
      const { status, text } = answer(url) ?? { status: 500, text: '' };
      response.writeHead(status).end(text);
    };
    await expect(listFunctions(sourceOf(openfaas.url), anywhere, signal)).rejects.toThrow(problem);
  });

  test('is not asked for at another address: a redirect would send the password there', async () => {
    await using openfaas = await startOpenfaas();
    openfaas.handler = (_, response) => void response.writeHead(302, { Location: 'http://127.0.0.1:1' }).end();
    await expect(listFunctions(sourceOf(openfaas.url), anywhere, signal)).rejects.toThrow(
      'GET /system/namespaces: unexpected redirect',
    );
  });

  test('cannot be had from an OpenFaaS that is away, and one line of the log says why', async () => {
    const url = `http://127.0.0.1:${await freePort()}`;
    await expect(listFunctions(sourceOf(url), anywhere, signal)).rejects.toMatchObject({
      message: expect.stringMatching(/^GET \/system\/namespaces: connect ECONNREFUSED/),
      expected: true,
    });
  });
});

describe('what is found', () => {
  const url = 'http://gateway:8080';
  const listed = (...functions: OpenfaasFunction[]) => functions.map((each) => ({ annotations: {}, ...each }));

  test('is called at the gateway with its namespace, unless that is the default one, and here by its one name', () => {
    const { found, problems } = toFound(listed(env, figlet), { url }, fileOf('defaults: { timeout: 5m, queue: slow }'));
    expect(Object.fromEntries(found)).toEqual({
      env: {
        url: `${url}/function/env`,
        timeout: '5m',
        queue: 'slow',
        defaultNamespace: 'openfaas-fn',
        discovered: {},
      },
      'figlet.team-a': { url: `${url}/function/figlet.team-a`, timeout: '5m', queue: 'slow', discovered: {} },
    });
    expect(problems).toEqual([]);
  });

  test('has the settings of its annotations, and is taken without them if one cannot be read', () => {
    const good = { ...env, annotations: { 'com.openfaas.retry.attempts': '3', 'com.openfaas.queue': 'mail' } };
    const bad = { ...figlet, annotations: { 'com.openfaas.retry.attempts': 'many', 'com.openfaas.queue': 'mail' } };
    const { found, problems } = toFound(listed(good, bad), { url }, fileOf(''));
    expect(found.get('env')).toMatchObject({ queue: 'mail', retry: { attempts: 3 } });
    expect(found.get('figlet.team-a')).toEqual({ url: `${url}/function/figlet.team-a`, discovered: {} });
    expect(problems).toEqual([
      { function: 'figlet.team-a', problems: [expect.stringContaining('must be a whole number from 0 to 1000')] },
    ]);
  });

  test('never replaces a group or a function of the file', () => {
    const file = fileOf('functions: { figlet.team-a: { url: http://own } }\ngroups: { env: [figlet.team-a] }');
    const { found, problems } = toFound(listed(env, figlet), { url }, file);
    expect(problems).toMatchObject([{ function: 'env.openfaas-fn' }]);
    expect(withFound(file, found, []).settings.get('figlet.team-a')).toEqual({ url: 'http://own' });
  });

  test('stays with its settings when it is gone, but is absent', () => {
    const settings = { url: `${url}/function/env.openfaas-fn`, discovered: {} };
    const known: KnownFunction[] = [
      { name: 'env', revision: 1, entry: { source: 'file', paused: false, settings } },
      { name: 'own', revision: 2, entry: { source: 'file', paused: false, settings: { url: 'http://own' } } },
    ];
    const merged = withFound(fileOf(''), new Map(), known);
    expect(Object.fromEntries(merged.settings)).toEqual({ env: { ...settings, discovered: { absent: true } } });
    expect(withFound(fileOf(''), new Map([['env', settings]]), known).settings.get('env')).toEqual(settings);
  });
});

describe('the functions of a process', () => {
  const file = fileOf('functions: { own: { url: http://own } }\ndiscover: { openfaas: { url: "http://gw:8080/" } }');

  function discovered({ complete = true } = {}) {
    const lines: Record<string, unknown>[] = [];
    const taken: string[][] = [];
    const state = { now: 0, complete, looks: [] as string[], answer: async (): Promise<OpenfaasFunction[]> => [env] };
    const known: KnownFunction[] = [];
    const shared = {
      get complete() {
        return state.complete;
      },
      list: () => known,
      takeFile({ settings }: FileDefinition) {
        taken.push([...settings.keys()]);
        known.length = 0;
        known.push(
          ...[...settings].map(([name, each]) => ({
            name,
            revision: 1,
            entry: { source: 'file' as const, paused: false, settings: each },
          })),
        );
      },
    };
    const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
    const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination });
    const functions = new DiscoveredFunctions({
      file: { path: anywhere, current: file },
      shared,
      logger,
      now: () => state.now,
      list: async ({ url }) => {
        state.looks.push(url);
        return (await state.answer()).map((each) => ({ annotations: {}, ...each }));
      },
    });
    return { functions, state, taken, known, lines, tick: () => functions.tick(signal) };
  }

  test('are looked for once the register is known, and then every 30 s', async () => {
    const { tick, state, taken } = discovered({ complete: false });
    await tick();
    expect(state.looks).toEqual([]);
    state.complete = true;
    await tick();
    await tick();
    expect([state.looks, taken]).toEqual([['http://gw:8080'], [['env', 'own']]]);
    state.now = 30_000;
    await tick();
    expect(state.looks.length).toBe(2);
  });

  test('stay as they are while they cannot be listed, and the log says so once', async () => {
    const { functions, state, taken, lines } = discovered();
    const stop = new AbortController();
    await functions.tick(stop.signal);
    state.answer = () => Promise.reject(new Error('GET /system/namespaces: 502'));
    state.now = 30_000;
    const running = functions.run(stop.signal);
    await expect.poll(() => state.looks.length).toBe(2);
    state.now = 60_000;
    await expect.poll(() => state.looks.length, { timeout: 90_000 }).toBe(3);
    stop.abort();
    await running;
    expect(lines.filter(({ level }) => level === 'warn').length).toBe(1);
    expect(lines.at(-1)).toMatchObject({ msg: expect.stringContaining('cannot be listed'), url: 'http://gw:8080/' });
    expect(taken.length).toBe(1);
  });

  test('that are gone are told, and those that come back too', async () => {
    const { tick, state, known, lines } = discovered();
    await tick();
    state.answer = async () => [];
    state.now = 30_000;
    await tick();
    expect(known.find(({ name }) => name === 'env')?.entry.settings.discovered).toEqual({ absent: true });
    expect(lines.at(-1)).toMatchObject({
      level: 'warn',
      functions: ['env'],
      msg: expect.stringContaining('are paused'),
    });
    state.answer = async () => [env];
    state.now = 60_000;
    await tick();
    expect(known.find(({ name }) => name === 'env')?.entry.settings.discovered).toEqual({});
    expect(lines.at(-1)).toMatchObject({ functions: ['env'], msg: 'functions were found at OpenFaaS' });
  });

  test('of another OpenFaaS are looked for at once, and those of the first stay until then', async () => {
    const { functions, tick, state, taken } = discovered();
    await tick();
    functions.takeFile(fileOf('discover: { openfaas: { url: http://other } }'));
    expect(taken.at(-1)).toEqual(['env']);
    state.answer = async () => [figlet];
    await tick();
    expect([state.looks.at(-1), taken.at(-1)?.toSorted()]).toEqual(['http://other', ['env', 'figlet.team-a']]);
  });

  test('are those of the file alone if that no longer says to discover any', async () => {
    const { functions, tick, state, taken } = discovered();
    await tick();
    functions.takeFile(fileOf('functions: { own: { url: http://own } }'));
    state.now = 60_000;
    await tick();
    expect([taken.at(-1), state.looks.length]).toEqual([['own'], 1]);
  });
});
