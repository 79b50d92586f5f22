import AjvCompiler from '@fastify/ajv-compiler';
import SerializerSelector from '@fastify/fast-json-stringify-compiler';
import type { FastifySchemaCompiler, FastifySerializerCompiler } from 'fastify';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { problems } from '../src/problem.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway();
});

afterAll(() => gateway[Symbol.asyncDispose]());

test('the health check is OK, also for HEAD', async () => {
  const get = await request(`${gateway.url}/healthz`);
  expect([get.statusCode, await get.body.text()]).toEqual([200, 'OK']);
  const head = await request(`${gateway.url}/healthz`, { method: 'HEAD' });
  expect([head.statusCode, await head.body.text()]).toEqual([200, '']);
});

test('the API is described in OpenAPI 3.1, with the version of the gateway', async () => {
  const { statusCode, headers, body } = await request(`${gateway.url}/openapi.json`);
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toMatch(/^application\/json/);
  expect(await body.json()).toMatchObject({
    openapi: '3.1.0',
    info: { version: '1.2.3' },
    paths: { '/async-function/{name}': { post: { summary: expect.any(String) } }, '/healthz': { get: {} } },
  });
});

test('the description of an enqueue names its headers, its answers and every code of its refusals', async () => {
  const { paths } = (await (await request(`${gateway.url}/openapi.json`)).body.json()) as {
    paths: Record<string, Record<string, { parameters: { name: string; in: string }[]; responses: object }>>;
  };
  const { parameters, responses } = paths['/async-function/{name}']!['post']!;
  const named = parameters.filter((parameter) => parameter.in === 'header').map(({ name }) => name);
  expect(named).toEqual(expect.arrayContaining(['X-Callback-Url', 'X-Max-Retries', 'X-Timeout', 'traceparent']));
  expect(responses).toMatchObject({ 202: { headers: { 'X-Call-Id': {}, 'X-Start-Time': {}, Location: {} } } });
  const elsewhere = [
    'not_found',
    'client_disconnected',
    'invalid_parameter',
    'call_not_found',
    'too_many_waiting',
    'not_ended',
    'already_ended',
    'result_gone',
    'range_not_satisfiable',
    'unknown_queue',
    'dead_letter_not_found',
    'not_replayable',
    'already_replayed',
    'invalid_function',
    'invalid_schedule',
    'unknown_schedule',
    'too_many_schedules',
    'calls_waiting',
    'precondition_failed',
    'unknown_queue',
    'invalid_batch',
    'invalid_batch_item',
    'batch_not_found',
    'too_many_calls',
    'invalid_signature',
    'unsupported_media_type',
  ];
  for (const [code, { status }] of Object.entries(problems).filter(([code]) => !elsewhere.includes(code))) {
    expect(responses, code).toMatchObject({
      [status]: { content: { 'application/problem+json': { examples: { [code]: { value: { code, status } } } } } },
    });
  }
});

test('the description of calls names parameters, answers with examples, and problems', async () => {
  const { paths } = (await (await request(`${gateway.url}/openapi.json`)).body.json()) as {
    paths: Record<string, object>;
  };
  const problem = (...codes: string[]) => ({
    content: { 'application/problem+json': { examples: Object.fromEntries(codes.map((code) => [code, {}])) } },
  });
  const json = { content: { 'application/json': { schema: expect.anything(), examples: expect.anything() } } };
  expect(paths).toMatchObject({
    '/async-function/{callId}': {
      get: {
        parameters: expect.arrayContaining([expect.objectContaining({ name: 'wait', in: 'query' })]),
        responses: {
          200: json,
          400: problem('invalid_parameter'),
          404: problem('call_not_found'),
          503: problem('broker_unavailable'),
        },
      },
    },
    '/async-function/{callId}/result': {
      get: {
        responses: {
          200: { headers: { 'X-Function-Status': {} } },
          404: problem('call_not_found'),
          409: problem('not_ended'),
          410: problem('result_gone'),
          416: problem('range_not_satisfiable'),
        },
      },
    },
  });
});

test('the description of the dead letters names parameters, answers with examples, and problems', async () => {
  const { paths } = (await (await request(`${gateway.url}/openapi.json`)).body.json()) as {
    paths: Record<string, object>;
  };
  const problem = (...codes: string[]) => ({
    content: { 'application/problem+json': { examples: Object.fromEntries(codes.map((code) => [code, {}])) } },
  });
  const json = { content: { 'application/json': { schema: expect.anything(), example: expect.anything() } } };
  const parameter = (name: string, place: string) => expect.objectContaining({ name, in: place });
  const filters = ['function', 'queue', 'reason', 'kind'];
  const unavailable = problem('broker_unavailable');
  const invalid = problem('invalid_parameter');
  const missing = problem('dead_letter_not_found');
  const one = [parameter('callId', 'path'), parameter('kind', 'query')];
  expect(paths).toMatchObject({
    '/system/dead-letters': {
      get: {
        parameters: expect.arrayContaining([...filters, 'limit', 'cursor'].map((name) => parameter(name, 'query'))),
        responses: { 200: json, 400: invalid, 503: unavailable },
      },
    },
    '/system/dead-letters/{callId}': {
      get: { parameters: expect.arrayContaining(one), responses: { 200: json, 400: invalid, 404: missing } },
      delete: { parameters: expect.arrayContaining(one), responses: { 204: {}, 404: missing, 503: unavailable } },
    },
    '/system/dead-letters/{callId}/replay': {
      post: {
        parameters: expect.arrayContaining(one),
        responses: {
          202: json,
          404: problem('dead_letter_not_found', 'unknown_function'),
          409: problem('not_replayable', 'already_replayed', 'call_id_conflict'),
          503: problem('broker_unavailable', 'broker_timeout', 'overloaded', 'queue_full'),
        },
      },
    },
    '/system/dead-letters/replay': {
      post: {
        requestBody: {
          content: { 'application/json': { schema: { properties: Object.fromEntries(filters.map((f) => [f, {}])) } } },
        },
        responses: { 200: json, 400: invalid, 413: problem('body_too_large') },
      },
    },
  });
});

test('every JSON answer of an operator route has an example, and every route its problems', async () => {
  const { paths } = (await (await request(`${gateway.url}/openapi.json`)).body.json()) as {
    paths: Record<string, Record<string, { summary?: string; responses: Record<string, { content?: object }> }>>;
  };
  const routes = Object.entries(paths).filter(([path]) => path.startsWith('/system/'));
  expect(routes.map(([path]) => path)).toEqual(
    expect.arrayContaining([
      '/system/functions',
      '/system/functions/{name}',
      '/system/functions/{name}/pause',
      '/system/functions/{name}/resume',
      '/system/queues',
      '/system/queues/{queue}',
      '/system/scaling/{name}',
    ]),
  );
  for (const [path, methods] of routes) {
    for (const [method, { summary, responses }] of Object.entries(methods)) {
      expect(summary, `${method} ${path}`).toEqual(expect.any(String));
      for (const [status, { content = {} }] of Object.entries(responses)) {
        const described = Object.values(content).map((media) => Object.keys(media as object));
        const wanted = Number(status) < 400 ? 'example' : 'examples';
        expect(
          described.every((keys) => keys.includes(wanted)),
          `${method} ${path} ${status}`,
        ).toBe(true);
      }
    }
  }
});

test('the page at /docs loads nothing from other servers', async () => {
  const { statusCode, headers, body } = await request(`${gateway.url}/docs/`);
  const page = await body.text();
  expect(statusCode).toBe(200);
  expect(headers['content-type']).toMatch(/^text\/html/);
  expect(page).not.toMatch(/(?:src|href)="(?:https?:)?\/\//);
  expect(headers['content-security-policy']).toContain("default-src 'self'");
  // Over plain HTTP browsers would load all of it by HTTPS.
  expect(headers['content-security-policy']).not.toContain('upgrade-insecure-requests');
  const assets = [...page.matchAll(/(?:src|href)="(\.[^"]+)"/g)].map(([, path]) => path!);
  expect(assets.length).toBeGreaterThan(2);
  for (const path of assets) {
    const asset = await request(new URL(path, `${gateway.url}/docs/`));
    await asset.body.dump();
    expect([path, asset.statusCode]).toEqual([path, 200]);
  }
});

test('an unknown path below /docs is answered like any other that does not exist', async () => {
  for (const path of ['/docs/nothing', '/docs/static/nothing.js']) {
    const { statusCode, body } = await request(`${gateway.url}${path}`);
    expect([statusCode, await body.json()]).toEqual([404, expect.objectContaining({ code: 'not_found' })]);
  }
  const head = await request(`${gateway.url}/docs/`, { method: 'HEAD' });
  expect([head.statusCode, await head.body.text()]).toEqual([200, '']);
  const post = await request(`${gateway.url}/docs`, { method: 'POST' });
  await post.body.dump();
  expect([post.statusCode, post.headers['allow']]).toEqual([405, 'GET, HEAD']);
});

// The gateway compiles a schema when a request first needs it, so a start does not show a mistake in one.
test('every schema of a route can be compiled', () => {
  const validator = AjvCompiler()({}, { customOptions: {} }) as FastifySchemaCompiler<unknown>;
  const serializer = SerializerSelector()({}, {}) as FastifySerializerCompiler<unknown>;
  let compiled = 0;
  for (const { method, url, schema } of gateway.routes) {
    const route = { method: String(method), url };
    const parts = (['params', 'querystring', 'headers', 'body'] as const).map((httpPart) => schema?.[httpPart]);
    const answers = Object.values((schema?.response ?? {}) as Record<string, Answer>);
    const media = answers.flatMap(({ content = {} }) => Object.values(content).map((each) => each.schema));
    for (const [compile, schemas] of [
      [validator, parts.filter(Boolean)],
      [serializer, media],
    ] as const) {
      for (const each of schemas) {
        expect(() => compile({ ...route, schema: each }), `${route.method} ${url}`).not.toThrow();
        compiled += 1;
      }
    }
  }
  expect(compiled).toBeGreaterThan(100);
});

interface Answer {
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}
