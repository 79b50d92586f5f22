// biome-ignore-all lint/suspicious/noTemplateCurlyInString: references in a functions file
import { mkdtemp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startNatsServer } from '@asyncfn/nats-server';
import type { AppName, AppProcess, Env, Stack } from '@asyncfn/stack';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { startStubBroker } from './harness/wire/stub-broker.ts';

const apps: readonly AppName[] = ['gateway', 'worker'];
const badConfiguration = { code: 78, signal: null };
const failed = { code: 1, signal: null };

/** nats-server and a functions file, without processes. */
function startBackground(natsConfig?: string) {
  const functions = { echo: 'http://127.0.0.1:9' };
  return startStack({ functions, gateways: 0, workers: 0, ...(natsConfig !== undefined && { natsConfig }) });
}

/** For all tests that need no NATS of their own. */
let stack: Stack;

beforeAll(async () => {
  stack = await startBackground();
});

afterAll(async () => {
  await stack[Symbol.asyncDispose]();
});

/** Of these lines. */
async function writeFunctionsFile(lines: readonly string[]): Promise<Env> {
  const folder = await mkdtemp(join(stack.folder, 'file-'));
  const path = join(folder, 'functions.yaml');
  await writeFile(path, lines.join('\n'));
  return { FUNCTIONS_FILE: path };
}

/** The reason that the process gives for ending. */
function lastError(app: AppProcess): string {
  const line = app.logs.findLast(({ level }) => level === 'fatal');
  return JSON.stringify(line?.['err']);
}

describe.for(apps)('a %s with a wrong configuration', (app) => {
  test('names every bad variable at once, and shows no secret', async () => {
    const env = {
      NATS_URL: 'http://user:topsecret@nats:4222',
      LOG_LEVEL: 'loud',
      SHUTDOWN_TIMEOUT: 'soon',
      STREAM_REPLICAS: '0',
      OPS_PORT: '70000',
    };
    await using child = await stack.spawn(app, env);

    expect(await child.ended()).toEqual(badConfiguration);
    expect(child.stderr.map((line) => line.split(':')[0]).sort((a = '', b = '') => a.localeCompare(b))).toEqual(
      Object.keys(env).sort((a, b) => a.localeCompare(b)),
    );
    expect(child.stderr.join('\n')).not.toContain('topsecret');
    expect(child.logs).toEqual([]);
  });

  test('names a variable that looks like a setting and is none, with the nearest one, and no value', async () => {
    await using child = await stack.spawn(app, {
      MAX_INFLIHGT: 'topsecret',
      RETRY_ATTEMPTS: '3',
      MAX_INFLIGHT_BYTES: '64MiB',
    });
    await child.untilReady();

    const lines = child.logs.filter(({ msg }) => /environment variable/.test(String(msg)));
    expect(lines).toMatchObject([{ level: 'warn', variable: 'MAX_INFLIHGT', nearest: 'MAX_INFLIGHT' }]);
    expect(child.output.join('\n')).not.toContain('topsecret');
  });

  test('names every problem of its functions file, each with its line', async () => {
    const text = [
      'functions:',
      '  good: { url: http://good }',
      '  bad.name.here: { url: http://x }',
      '  no-url: { timeout: 5m }',
      '  thumbnail:',
      '    url: ftp://files',
      '    timeout: soon',
      '    colour: red',
    ];
    await using child = await stack.spawn(app, await writeFunctionsFile(text));

    expect(await child.ended()).toEqual(badConfiguration);
    const named = child.stderr.map((line) => line.match(/functions\.yaml:(\d+): (\S+)/)?.slice(1));
    expect(named).toEqual([
      ['3', 'functions.bad.name.here'],
      ['4', 'functions.no-url.url'],
      ['6', 'functions.thumbnail.url'],
      ['7', 'functions.thumbnail.timeout'],
      ['8', 'functions.thumbnail.colour'],
    ]);
  });

  test('names each variable of a stack file that is not set, and shows the values of none', async () => {
    const text = [
      'provider:',
      '  name: openfaas',
      '  gateway: http://${GATEWAY_IP}:8080',
      'functions:',
      '  figlet: { image: "${REGISTRY}/figlet" }',
      '  hash:',
      '    url: http://user:${PASSWORD}@*:8080',
      '---',
    ];
    await using child = await stack.spawn(app, { PASSWORD: 'topsecret', ...(await writeFunctionsFile(text)) });

    expect(await child.ended()).toEqual(badConfiguration);
    expect(child.stderr).toEqual([
      expect.stringMatching(/functions\.yaml:3: provider\.gateway \$\{GATEWAY_IP\} is not set in the environment/),
      expect.stringMatching(
        /functions\.yaml:7: functions\.hash\.url must be .*"http:\/\/…@\*:8080", with its variables/,
      ),
    ]);
    expect(child.stderr.join('\n')).not.toContain('topsecret');
  });

  test('ends if its functions file does not exist', async () => {
    await using child = await stack.spawn(app, { FUNCTIONS_FILE: '/nowhere/functions.yaml' });

    expect(await child.ended()).toEqual(badConfiguration);
    expect(child.stderr.join('\n')).toMatch(/^FUNCTIONS_FILE: \/nowhere\/functions\.yaml: cannot be read/);
  });

  test('ends if NATS refuses its password, and does not show it', async () => {
    await using guarded = await startBackground('authorization { user: asyncfn, password: right }');
    const child = await guarded.spawn(app, { NATS_USER: 'asyncfn', NATS_PASSWORD: 'topsecret' });

    expect(await child.ended()).toEqual(failed);
    expect(lastError(child)).toMatch(/NATS refused the credentials: check NATS_USER, NATS_PASSWORD/);
    expect(child.tail).not.toContain('topsecret');
  });

  test('works if NATS knows its password', async () => {
    await using guarded = await startBackground('authorization { user: asyncfn, password: right }');
    const child = await guarded.spawn(app, { NATS_USER: 'asyncfn', NATS_PASSWORD: 'right' });

    await child.untilReady();
    expect(await child.stop()).toEqual({ code: 0, signal: null });
  });

  test('ends if nats-server has no JetStream', async () => {
    await using plain = await startNatsServer({ bin: inject('natsServerBin'), jetstream: false });
    await using child = await stack.spawn(app, { NATS_URL: plain.url });

    expect(await child.ended()).toEqual(failed);
    expect(lastError(child)).toMatch(/has no JetStream .*: start it with -js/);
  });

  test('ends if nats-server is too old', async () => {
    await using old = await startStubBroker('2.11.9');
    await using child = await stack.spawn(app, { NATS_URL: old.url });

    expect(await child.ended()).toEqual(failed);
    expect(lastError(child)).toMatch(/nats-server 2\.11\.9 at .* is too old: asyncfn needs 2\.12\.0 or later/);
  });

  test('ends if a port is in use, and says which setting to change', async () => {
    const variables = app === 'gateway' ? ['PORT', 'OPS_PORT'] : ['OPS_PORT'];
    for (const variable of variables) {
      await using child = await stack.spawn(app, { [variable]: String(stack.nats.port) });

      expect(await child.ended()).toEqual(failed);
      expect(lastError(child)).toMatch(new RegExp(`the port is in use; choose another with ${variable}"`));
      // Lines of the sources, although the process runs a bundle.
      expect(lastError(child)).toMatch(/ at [^ ]+ \([^ ]+\/src\/[^ ]+\.ts:\d+:\d+\)/);
    }
  });
});

/** The whole of 127.0.0.0/8 is this machine, and only a server that listens on all addresses answers there. */
async function answersElsewhere(port: unknown): Promise<boolean> {
  return await fetch(`http://127.0.0.2:${port}/livez`).then(
    ({ ok }) => ok,
    () => false,
  );
}

describe.for(apps)('the operations server of a %s', (app) => {
  test.each([
    ['where HOST says', { HOST: '127.0.0.1' }, false],
    ['where OPS_HOST says, whatever HOST says', { HOST: '127.0.0.1', OPS_HOST: '0.0.0.0' }, true],
  ])('listens %s', async (_, env, isEverywhere) => {
    await using child = await stack.spawn(app, env);
    await child.untilReady();

    const line = child.logged('listening').find(({ server }) => server === 'ops');
    expect(line).toMatchObject({ host: isEverywhere ? '0.0.0.0' : '127.0.0.1' });
    expect(await answersElsewhere(line?.['port'])).toBe(isEverywhere);
  });
});
