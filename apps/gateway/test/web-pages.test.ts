import { hostPatternType, OwnHosts } from '@asyncfn/service-kit';
import { request } from 'undici';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { RawClient } from './raw-client.ts';
import { testToken, tokensOf } from './test-tokens.ts';

type Headers = Readonly<Record<string, string>>;

const admin = testToken('admin', { scopes: ['admin'] });
const evil = 'https://evil.example';

/** The headers that browsers send if pages of other origins make them call us. */
const foreignPages: readonly (readonly [string, Headers])[] = [
  ['a form or a simple fetch', { origin: evil, 'content-type': 'text/plain' }],
  ['the same, as newer browsers say it', { origin: evil, 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' }],
  ['an image or a script', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'script' }],
  ['a frame', { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' }],
  ['another port of this machine', { origin: 'http://127.0.0.1:3000', 'sec-fetch-site': 'same-site' }],
  ['another port, in older browsers', { origin: 'http://127.0.0.1:3000' }],
  ['a sandboxed page or a file', { origin: 'null' }],
  ['an extension', { origin: 'chrome-extension://abcdefghijklmnop' }],
];

let open: TestGateway;
let guarded: TestGateway;

beforeAll(async () => {
  open = await startTestGateway({ ownHosts: new OwnHosts([hostPatternType.parse('asyncfn.example.com')!]) });
  guarded = await startTestGateway({ tokens: () => tokensOf([admin]), ownHosts: new OwnHosts([]) });
});

afterEach(() => {
  for (const gateway of [open, guarded]) {
    gateway.calls.states.clear();
    gateway.queue.accepted.length = 0;
  }
});

afterAll(async () => {
  await open[Symbol.asyncDispose]();
  await guarded[Symbol.asyncDispose]();
});

async function send(gateway: TestGateway, method: string, path: string, headers: Headers = {}) {
  const { statusCode, body } = await request(`${gateway.url}${path}`, { method: method as 'GET', headers });
  const text = await body.text();
  return { status: statusCode, code: statusCode >= 400 && text !== '' ? JSON.parse(text).code : undefined };
}

/** Each route that changes or shows something, with a value for each parameter. */
function guardedRoutes(gateway: TestGateway): { method: string; path: string }[] {
  return gateway.routes
    .filter(({ config }) => config?.scope !== 'open')
    .flatMap(({ method, url }) =>
      [method].flat().map((verb) => ({ method: verb, path: url.replace(/:\w+/g, 'echo') })),
    );
}

describe('without tokens', () => {
  test.each(foreignPages)('no route does anything for %s of another origin', async (_, headers) => {
    const routes = guardedRoutes(open);
    expect(routes.length).toBeGreaterThan(20);
    for (const { method, path } of routes) {
      const { status, code } = await send(open, method, path, headers);
      expect([method, path, status]).toEqual([method, path, 403]);
      expect(code).toBe(method === 'HEAD' ? undefined : 'foreign_origin');
    }
    expect(open.queue.accepted).toEqual([]);
  });

  test.each(['evil.example', 'evil.example:8080', '0.0.0.0', 'localhost.evil.example'])(
    'no route does anything for a page whose name %s resolves to this gateway',
    async (host) => {
      // For its browser that is the page's own origin.
      const headers = { host, origin: `http://${host}`, 'sec-fetch-site': 'same-origin' };
      for (const { method, path } of guardedRoutes(open)) {
        const { status, code } = await send(open, method, path, headers);
        expect([method, path, status]).toEqual([method, path, 403]);
        expect(code).toBe(method === 'HEAD' ? undefined : 'foreign_host');
      }
    },
  );

  test('a refusal says what to set, and is in the log by its code', async () => {
    const { body } = await request(`${open.url}/async-function/echo`, {
      method: 'POST',
      headers: { host: 'evil.example' },
    });
    expect(await body.json()).toMatchObject({ status: 403, detail: expect.stringContaining('ALLOWED_HOSTS') });
    expect(open.logs.at(-1)).toMatchObject({ msg: 'request refused', code: 'foreign_host' });
  });

  test.each([
    ['a program', {}],
    ['a page of the gateway', { origin: 'http://OWN', 'sec-fetch-site': 'same-origin' }],
    ['a page of the gateway, in older browsers', { origin: 'http://OWN' }],
    ['a user who types its address', { 'sec-fetch-site': 'none', 'sec-fetch-mode': 'navigate' }],
    ['a program that calls it localhost', { host: 'localhost:8080' }],
    ['a program that calls it by a name that is set', { host: 'asyncfn.example.com' }],
    [
      'a page of that name, behind a proxy for TLS',
      { host: 'asyncfn.example.com', origin: 'https://asyncfn.example.com' },
    ],
    [
      'a page of that name, with the port spelt out',
      { host: 'asyncfn.example.com:443', origin: 'https://asyncfn.example.com' },
    ],
    [
      'a proxy that changes Host, of which the browser knows',
      { origin: 'https://asyncfn.example.com', 'sec-fetch-site': 'same-origin' },
    ],
  ] as const)('%s is served', async (_, headers: Headers) => {
    const own = Object.fromEntries(
      Object.entries(headers).map(([name, value]) => [name, value.replace('OWN', `127.0.0.1:${open.port}`)]),
    );
    expect(await send(open, 'POST', '/async-function/echo', own)).toMatchObject({ status: 202 });
    open.calls.states.set('call-1', endedCall('call-1'));
    expect(await send(open, 'GET', '/async-function/call-1/result', own)).toMatchObject({ status: 200 });
  });

  test('a link from another site may be followed, and changes nothing', async () => {
    const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
    open.calls.states.set('call-1', endedCall('call-1'));
    expect(await send(open, 'GET', '/async-function/call-1/result', link)).toMatchObject({ status: 200 });
    expect(await send(open, 'DELETE', '/async-function/call-1', link)).toMatchObject({ status: 403 });
    expect(await send(open, 'POST', '/async-function/echo', link)).toMatchObject({ status: 403 });
  });

  test.each(['/healthz', '/openapi.json', '/docs/'])('%s has nothing to hide', async (path) => {
    const headers = { host: 'evil.example', origin: evil, 'sec-fetch-site': 'cross-site' };
    expect(await send(open, 'GET', path, headers)).toMatchObject({ status: 200 });
  });

  test('a request of HTTP/1.0 without Host is that of a program', async () => {
    await using client = await RawClient.connect(open.port);
    client.send('POST /async-function/echo HTTP/1.0\r\nContent-Length: 0\r\n\r\n');
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 202 /);
  });
});

describe('with tokens', () => {
  test.each(foreignPages)(
    'credentials that browsers add by themselves do not work for %s of another origin',
    async (_, headers) => {
      for (const { method, path } of guardedRoutes(guarded)) {
        const { status } = await send(guarded, method, path, { ...headers, authorization: admin.basic });
        expect([method, path, status]).toEqual([method, path, 403]);
      }
      expect(guarded.queue.accepted).toEqual([]);
    },
  );

  test('a page that knows a token may use it, from any origin and under any name', async () => {
    const headers = { host: 'asyncfn.example.com', origin: evil, 'sec-fetch-site': 'cross-site' };
    const authorization = admin.bearer;
    expect(await send(guarded, 'POST', '/async-function/echo', { ...headers, authorization })).toMatchObject({
      status: 202,
    });
  });

  test('a program may send them as HTTP basic, whatever name it uses for the gateway', async () => {
    const headers = { host: 'gateway.openfaas:8080', authorization: admin.basic };
    expect(await send(guarded, 'POST', '/async-function/echo', headers)).toMatchObject({ status: 202 });
  });
});
