import { fastify } from 'fastify';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { rootRoutes } from '../src/api/root.ts';
import { startTestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const lessThanJson = ['application/json, text/html;q=0.1', 'text/html;q=0.5, */*', 'text/htmlx'];
const browser = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

test('who asks for / is told what is here, also without a token', async () => {
  const token = testToken('read', { scopes: ['read'] });
  await using gateway = await startTestGateway({ tokens: () => tokensOf([token]) });
  const answer = await request(gateway.url);
  expect(answer.statusCode).toBe(200);
  const body = (await answer.body.json()) as { links: Record<string, string> };
  expect(body).toMatchObject({ name: 'asyncfn', version: '1.2.3', links: { docs: '/docs', openapi: '/openapi.json' } });
  for (const path of [body.links['docs'], body.links['openapi'], body.links['health']]) {
    expect((await request(`${gateway.url}${path}`)).statusCode, path).toBe(200);
  }
  const head = await request(gateway.url, { method: 'HEAD' });
  expect([head.statusCode, head.headers['content-type']]).toEqual([200, 'application/json; charset=utf-8']);
  const post = await request(gateway.url, { method: 'POST' });
  expect([post.statusCode, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
});

test('a browser is sent to the console, and a program is not', async () => {
  await using app = fastify();
  app.register(rootRoutes, { version: '1.2.3', hasConsole: true });
  const ask = (accept: string | undefined, method: 'GET' | 'HEAD' = 'GET') =>
    app.inject({ method, url: '/', headers: accept === undefined ? {} : { accept } });
  for (const method of ['GET', 'HEAD'] as const) {
    const { statusCode, headers } = await ask(browser, method);
    expect([statusCode, headers['location'], headers['vary']]).toEqual([302, '/console', 'Accept']);
  }
  for (const accept of [undefined, '*/*', 'application/json', 'text/html;q=0, application/json', ...lessThanJson]) {
    const answer = await ask(accept);
    expect([answer.statusCode, answer.json().links.console, answer.headers['vary']]).toEqual([
      200,
      '/console',
      'Accept',
    ]);
  }
});

test('without a console there is no link to it, and browsers are told the same as all', async () => {
  await using app = fastify();
  app.register(rootRoutes, { version: '1.2.3', hasConsole: false });
  const answer = await app.inject({ url: '/', headers: { accept: browser } });
  expect(answer.statusCode).toBe(200);
  expect(answer.json().links).not.toHaveProperty('console');
});
