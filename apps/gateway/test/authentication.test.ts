import { createToken } from '@asyncfn/tokens';
import type { FastifyInstance } from 'fastify';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange } from './raw-client.ts';
import { basic, testToken, tokensOf } from './test-tokens.ts';

const invoke = testToken('invoke', { scopes: ['invoke'] });
const read = testToken('read', { scopes: ['read'] });
const both = testToken('both', { scopes: ['invoke', 'read'] });
const admin = testToken('admin', { scopes: ['admin'] });
const narrow = testToken('narrow', { scopes: ['invoke'], functions: ['hash.*', 'no-such-*'] });
const scaler = testToken('scaler', { scopes: ['read'], functions: ['hash', 'no-such-*'] });
const expired = testToken('expired', { scopes: ['admin'], expires: '2020-01-01T00:00:00Z' });
const slow = testToken('slow', { scopes: ['invoke'], rateLimit: '3/1h' });
const tokens = tokensOf([invoke, read, both, admin, narrow, scaler, expired, slow]);

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({ tokens: () => tokens });
  gateway.events.available = false; // a stream of events would not end
});

afterAll(() => gateway[Symbol.asyncDispose]());

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly body: string;
}

async function send(method: string, path: string, authorization?: string): Promise<Answer> {
  const { statusCode, headers, body } = await request(`${gateway.url}${path}`, {
    method: method as 'GET',
    headers: authorization === undefined ? {} : { authorization },
  });
  return { status: statusCode, headers, body: await body.text() };
}

const enqueue = (authorization?: string, name = 'echo') => send('POST', `/async-function/${name}`, authorization);

/** Every route, with a value for each parameter. */
function allRoutes() {
  return gateway.routes.flatMap(({ method, url, config }) =>
    [method].flat().map((verb) => ({ verb, path: url.replace(/:\w+|\*/g, 'echo'), url, scope: config?.scope })),
  );
}

const byName: Readonly<Record<string, string>> = {
  '/healthz': 'open',
  '/openapi.json': 'open',
  '/async-function/:name': 'invoke',
  '/async-batch': 'invoke',
  '/': 'open',
  '/system/calls': 'read',
  '/system/events': 'read',
  '/system/scaling/:name': 'read',
  '/system/token': 'caller',
  '/webhook/:name': 'open',
};

/** Readers see flow keys, and operators change them. */
function isReadOfFlows(verb: string, url: string): boolean {
  return url.startsWith('/system/flows') && (verb === 'GET' || verb === 'HEAD');
}

function byPrefix(url: string): string {
  if (url.startsWith('/docs') || url.startsWith('/console')) {
    return 'open';
  }
  return url.startsWith('/system/') ? 'admin' : 'caller';
}

const unknown: readonly (readonly [string, string | undefined])[] = [
  ['no token', undefined],
  ['a token that is not known', `Bearer ${createToken()}`],
  ['a token that has expired', expired.bearer],
  ['a known name with a wrong password', basic('admin', createToken())],
  ["a known name with another's token", basic('admin', invoke.secret)],
  ['nonsense', 'nonsense'],
];

const known = [invoke, read, both, admin].flatMap((token) => [
  { token, way: 'bearer', authorization: token.bearer },
  { token, way: 'basic', authorization: token.basic },
]);

describe('every route', () => {
  test('says whom it is for: operators alone, readers, callers, or everyone, by name', () => {
    const routes = allRoutes();
    expect(routes.length).toBeGreaterThan(10);
    for (const { verb, url, scope } of routes) {
      expect(scope, `${verb} ${url}`).toBe(byName[url] ?? (isReadOfFlows(verb, url) ? 'read' : byPrefix(url)));
    }
  });

  test('that is open answers without a token, and with a wrong one', async () => {
    // Partners have no token, and must sign.
    const routes = allRoutes().filter(({ scope, url }) => scope === 'open' && url !== '/webhook/:name');
    for (const { verb, path } of routes) {
      for (const authorization of [undefined, 'Bearer wrong']) {
        const { status } = await send(verb, path, authorization);
        expect([401, 403], `${verb} ${path}`).not.toContain(status);
      }
    }
  });

  test.each(unknown)('that is not open answers %s with 401', async (_, authorization) => {
    for (const { verb, path } of allRoutes().filter(({ scope }) => scope !== 'open')) {
      const { status, headers, body } = await send(verb, path, authorization);
      expect([status, headers['content-type']], `${verb} ${path}`).toEqual([401, 'application/problem+json']);
      expect(headers['www-authenticate']).toMatch(/^Bearer realm="asyncfn".*, Basic realm="asyncfn"/);
      expect(verb === 'HEAD' ? 'unauthorized' : JSON.parse(body).code).toBe('unauthorized');
    }
  });

  test.each(known)('lets in $token.name by $way if its scope is required, and nowhere else', async (each) => {
    const { name } = each.token;
    for (const { verb, path, scope } of allRoutes().filter((route) => route.scope !== 'open')) {
      const { status, headers, body } = await send(verb, path, each.authorization);
      const allowed =
        name === 'admin' || [name, 'caller'].includes(scope ?? '') || (name === 'both' && scope !== 'admin');
      if (allowed) {
        expect([401, 403, 500], `${verb} ${path}`).not.toContain(status);
      } else {
        expect([status, headers['content-type']], `${verb} ${path}`).toEqual([403, 'application/problem+json']);
        expect(headers['www-authenticate']).toContain(`error="insufficient_scope", scope="${scope}"`);
        expect(verb === 'HEAD' ? 'forbidden' : JSON.parse(body).code).toBe('forbidden');
      }
    }
  });
});

test('a scaler needs only the scope read, and learns nothing of functions that its token is not for', async () => {
  const load = (name: string, authorization: string) => send('GET', `/system/scaling/${name}`, authorization);
  expect((await load('echo', read.bearer)).status).toBe(200);
  expect((await load('echo', scaler.bearer)).status).toBe(403);
  expect((await load('secret', scaler.bearer)).status).toBe(403);
  // The token is for these, and one of them does not exist.
  expect((await load('no-such-function', scaler.bearer)).status).toBe(404);
});

test('a route that does not say whom it is for keeps the gateway from starting', async () => {
  const forget = (app: FastifyInstance) => app.get('/forgotten', () => 'everybody may read this');
  await expect(startTestGateway({}, forget)).rejects.toThrow(/without config\.scope: GET \/forgotten/);
});

test('unknown paths and methods answer that they do not exist, without a token', async () => {
  expect([(await send('GET', '/nothing')).status, (await send('PUT', '/healthz')).status]).toEqual([404, 405]);
});

describe('a token for some functions', () => {
  test('calls those', async () => {
    expect((await enqueue(narrow.bearer, 'hash.prod')).status).toBe(202);
  });

  test('learns nothing of the others, not even whether they exist', async () => {
    const answers = [await enqueue(narrow.bearer, 'echo'), await enqueue(narrow.bearer, 'unknown')];
    expect(answers.map(({ status }) => status)).toEqual([403, 403]);
    expect(answers[0]?.body).toBe(answers[1]?.body);
    expect((await enqueue(narrow.bearer, 'no-such-function')).status).toBe(404);
  });
});

test('two Authorization headers are refused, whatever their values', async () => {
  const head = `POST /async-function/echo HTTP/1.1\r\nHost: g\r\nAuthorization: ${invoke.bearer}\r\n`;
  const answer = await exchange(gateway.port, `${head}authorization: ${invoke.bearer}\r\nContent-Length: 0\r\n\r\n`);
  expect(answer).toMatch(/^HTTP\/1\.1 401 /);
});

test('the gateway does not ask for a body before it knows the token', async () => {
  const head = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 9\r\n\r\n';
  expect(await exchange(gateway.port, head)).toMatch(/^HTTP\/1\.1 401 /);
});

test('a token beyond its rate is told when to come back, and the others go on', async () => {
  const answers: Answer[] = [];
  for (let n = 0; n < 5; n++) {
    answers.push(await enqueue(n % 2 === 0 ? slow.bearer : slow.basic));
  }
  expect(answers.map(({ status }) => status)).toEqual([202, 202, 202, 429, 429]);
  const [last] = answers.slice(-1);
  expect(JSON.parse(last?.body ?? '')).toMatchObject({ code: 'rate_limited', status: 429 });
  expect(Number(last?.headers['retry-after'])).toBeGreaterThan(3_500);
  expect((await enqueue(invoke.bearer)).status).toBe(202);
});

test('a call carries the name of its token, and nothing else of it', async () => {
  await enqueue(invoke.bearer);
  const { last } = gateway.queue;
  expect(last.submitter).toBe('invoke');
  expect(JSON.stringify(last)).not.toContain(invoke.secret);
});

test('logs name the token, and no log, metric or answer contains one or the hash of one', async () => {
  const answers = [
    await enqueue(invoke.bearer),
    await enqueue(invoke.basic),
    await enqueue(read.bearer),
    await enqueue(invoke.bearer, 'unknown'),
    await enqueue(expired.bearer),
    await enqueue(`${invoke.bearer}, ${invoke.bearer}`),
  ];
  const texts = [JSON.stringify(answers), JSON.stringify(gateway.logs), await gateway.registry.metrics()].join('\n');
  for (const { secret, basic: sent, entry } of [invoke, read, expired]) {
    expect(texts).not.toContain(secret);
    expect(texts).not.toContain(sent.replace('Basic ', ''));
    expect(texts).not.toContain(JSON.stringify(entry).match(/[0-9a-f]{64}/)?.[0]);
  }
  expect(gateway.logs).toContainEqual(expect.objectContaining({ msg: 'call accepted', token: 'invoke' }));
  expect(gateway.logs).toContainEqual(expect.objectContaining({ code: 'forbidden', token: 'read' }));
  expect(gateway.logs).toContainEqual(expect.objectContaining({ code: 'unauthorized', reason: 'expired' }));
});

test('the description of the API says how to send a token, and which routes need one', async () => {
  const { components, paths } = JSON.parse((await send('GET', '/openapi.json')).body);
  expect(components.securitySchemes).toMatchObject({ bearer: { scheme: 'bearer' }, basic: { scheme: 'basic' } });
  expect(paths['/async-function/{name}'].post.security).toEqual([{ bearer: [] }, { basic: [] }]);
  expect(paths['/system/dead-letters'].get.responses).toMatchObject({ 401: {}, 403: {}, 429: {} });
  expect(paths['/healthz'].get.security).toBeUndefined();
});

test('a gateway without tokens accepts a request that sends one, and keeps no name of it', async () => {
  await using open = await startTestGateway();
  for (const authorization of [undefined, 'Bearer whatever', invoke.basic]) {
    const headers = authorization === undefined ? {} : { authorization };
    const answer = await request(`${open.url}/async-function/echo`, { method: 'POST', headers });
    await answer.body.dump();
    expect(answer.statusCode).toBe(202);
    expect(open.queue.last).not.toHaveProperty('submitter');
    expect(JSON.stringify(open.queue.last.headers)).not.toMatch(/authorization/i);
  }
});
