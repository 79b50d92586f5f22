import { startCallbackReceiver } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import {
  AsyncfnClient,
  type AsyncfnClientOptions,
  type CallBody,
  type CallOptions,
  OptionError,
  type WaitOptions,
} from '../src/index.ts';

/** What a gateway gets for a call. */
async function sent(body?: CallBody, options: CallOptions = {}, name = 'hash', base = '') {
  await using server = await startCallbackReceiver({
    respond: (_request, response) => {
      response.writeHead(202).end('{"callId":"call-1","function":"hash","status":"queued"}');
    },
  });
  await new AsyncfnClient({ url: server.url + base }).call(name, body, options);
  const { method, url, headers, body: bytes } = server.callbacks[0]!;
  return { method, url, headers, text: bytes.toString(), type: headers['content-type'] };
}

test('all options of a call are the headers that the gateway reads', async () => {
  const { headers } = await sent('x', {
    callbackUrl: 'https://example.com/done?a=b',
    failureCallbackUrl: new URL('https://example.com/failed'),
    callbackHeaders: { 'X-Tenant': 'seven' },
    then: ['flip?axis=x,y', 'store/thumbnails'],
    labels: ['customer=7', 'nightly'],
    flowKey: 'orders/7',
    flowControl: { parallelism: 3, rate: '10/1m' },
    delay: 1500,
    expiresIn: '10m',
    timeout: 30_000,
    maxRetries: 0,
    callId: 'order-1',
    functionAuthorization: 'Bearer own',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
    headers: { 'X-Own': ['a', 'b'], 'X-None': undefined },
  });
  expect(headers).toMatchObject({
    'x-callback-url': 'https://example.com/done?a=b',
    'x-failure-callback-url': 'https://example.com/failed',
    'x-callback-forward-x-tenant': 'seven',
    'x-then': 'flip?axis=x%2Cy,store/thumbnails',
    'x-label': 'customer=7,nightly',
    'x-flow-key': 'orders/7',
    'x-flow-control': 'parallelism=3, rate=10, period=1m',
    'x-delay': '1500ms',
    'x-expires-in': '10m',
    'x-timeout': '30000ms',
    'x-max-retries': '0',
    'x-call-id': 'order-1',
    'x-function-authorization': 'Bearer own',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
    'x-own': 'a, b',
  });
  const { headers: later } = await sent('x', { notBefore: new Date('2030-01-02T03:04:05Z') });
  expect(later['x-not-before']).toBe('2030-01-02T03:04:05.000Z');
  expect(later['x-delay']).toBeUndefined();
});

test('a call of a batch has the same flow key and limits as one alone', async () => {
  await using server = await startCallbackReceiver({
    respond: (_request, response) =>
      void response.writeHead(202).end('{"batchId":"b","accepted":2,"refused":0,"calls":[]}'),
  });
  const client = new AsyncfnClient({ url: server.url });
  await client.batch([
    { function: 'a', flowKey: 'k', flowControl: { rate: '10/1m' } },
    { function: 'a', flowKey: 'k', flowControl: {} },
  ]);
  expect(JSON.parse(server.callbacks[0]!.body.toString())).toMatchObject({
    calls: [
      { headers: { 'x-flow-key': 'k', 'x-flow-control': 'rate=10, period=1m' } },
      { headers: { 'x-flow-key': 'k' } },
    ],
  });
});

test.each<[string, CallBody | undefined, string, string | undefined]>([
  ['nothing', undefined, '', undefined],
  ['text', 'hällo', 'hällo', 'text/plain;charset=UTF-8'],
  ['bytes', new TextEncoder().encode('hello').subarray(1, 4), 'ell', undefined],
  ['a buffer', new TextEncoder().encode('hello').buffer, 'hello', undefined],
  ['a blob', new Blob(['{}'], { type: 'application/xml' }), '{}', 'application/xml'],
  ['a form', new URLSearchParams({ a: 'b c' }), 'a=b+c', 'application/x-www-form-urlencoded;charset=UTF-8'],
  ['an object', { a: [1, null, 'ä'] }, '{"a":[1,null,"ä"]}', 'application/json'],
  ['an array', [1, 2], '[1,2]', 'application/json'],
  ['a number', 0, '0', 'application/json'],
  ['null', null, 'null', 'application/json'],
])('%s as a body is sent as it is, with its type', async (_, body, text, type) => {
  expect(await sent(body)).toMatchObject({ method: 'POST', text, type });
});

test('the type that the caller names wins', async () => {
  expect((await sent('{}', { contentType: 'application/json' })).type).toBe('application/json');
  expect((await sent({}, { headers: { 'content-type': 'application/cloudevents+json' } })).type).toBe(
    'application/cloudevents+json',
  );
});

test('path and query arrive byte for byte, below the path of the URL', async () => {
  const path = '/a%2Fb/200x100;v=1/?x=%C3%A4&y=+';
  expect((await sent('', { path })).url).toBe(`/async-function/hash${path}`);
  expect((await sent('', { path: '/a?b=1', query: { c: ['ä', 2], d: undefined } }, 'hash.team', '/proxy/')).url).toBe(
    '/proxy/async-function/hash.team/a?b=1&c=%C3%A4&c=2',
  );
  expect((await sent('', { query: new URLSearchParams('a=1') })).url).toBe('/async-function/hash?a=1');
});

test.each(['/../other', '/a/./b', '/%2e%2e/other', '/a#b', '/a b', '/ä', String.raw`/..\other`, '/a\n', 'other'])(
  'the path %j, which would be sent as another one, is an error',
  async (path) => {
    await expect(sent('', { path })).rejects.toThrow(OptionError);
  },
);

test.each(['', '..', 'a/b', 'a.b.c', 'a?b', 'ä', 'x'.repeat(64)])('%j is not the name of a function', async (name) => {
  await expect(sent('', {}, name)).rejects.toThrow('is not NAME or NAME.NAMESPACE');
});

test.each<[string, unknown, CallOptions]>([
  ['body: is neither text', new Map(), {}],
  ['body: is neither text', () => 1, {}],
  ['body: cannot be written as JSON', { a: 1n }, {}],
  ['idempotencyKey', '', { idempotencyKey: 'a b' }],
  ['idempotencyKey', '', { idempotencyKey: '' }],
  ['delay', '', { delay: -1 }],
  ['timeout', '', { timeout: Number.NaN }],
  ['notBefore', '', { notBefore: new Date('x') }],
  ['headers: "X-Label"', '', { labels: 'a\nb' }],
  ['headers: "X-Flow-Key"', '', { flowKey: 'secret\nsecret' }],
  ['flowControl: is about the calls of a key', '', { flowControl: { parallelism: 1 } }],
  ['flowControl: "10" is not a rate; write 10/1m', '', { flowKey: 'secret', flowControl: { rate: '10' } }],
  [
    '"period" is not an option; write one of parallelism, rate',
    '',
    { flowKey: 'secret', flowControl: { period: '1m' } as object },
  ],
  ['headers: "a b"', '', { headers: { 'a b': 'secret' } }],
])('%s: an argument that cannot be right is an error before anything is sent', async (text, body, options) => {
  const error = await sent(body as CallBody, options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionError);
  expect(String(error)).toContain(text);
  expect(String(error)).not.toContain('secret');
});

test.each([
  ['not an absolute http or https URL', { url: 'localhost:8080' }],
  ['not an absolute http or https URL', { url: '' }],
  ['has a user or password', { url: 'http://a:b@localhost' }],
  ['has a query', { url: 'http://localhost?a' }],
  ['retry.attempts', { url: 'http://localhost', retry: { attempts: -1 } }],
  ['retry.minWaitMs', { url: 'http://localhost', retry: { minWaitMs: 2 ** 31 } }],
  ['requestTimeoutMs', { url: 'http://localhost', requestTimeoutMs: Number.POSITIVE_INFINITY }],
])('%s: a client is not made of it', (text, options) => {
  expect(() => new AsyncfnClient(options)).toThrow(text);
});

test('functions are not asked for an encoding that receivers of callbacks may not know', async () => {
  expect((await sent('x')).headers['accept-encoding']).toBe('identity');
  expect((await sent('x', { headers: { 'Accept-Encoding': 'br' } })).headers['accept-encoding']).toBe('br');
});

const misspelt: object = { callbackURL: 'http://example.com' };

test.each<[string, (client: AsyncfnClient) => Promise<unknown>]>([
  ['the id or the name is missing', (client) => client.get(undefined as unknown as string)],
  ['the id or the name is missing', (client) => client.cancel('')],
  ['path: cannot be sent', (client) => client.result('..')],
  ['is not NAME or NAME.NAMESPACE', (client) => client.call(undefined as unknown as string)],
  ['calls.0: function:', (client) => client.batch([{} as { function: string }])],
  ['headers: "a" is neither text', (client) => client.call('a', '', { headers: { a: 1 as unknown as string } })],
  ['"callbackURL" is not an option; write callbackUrl', (client) => client.call('a', '', misspelt)],
  ['"callbackURL" is not an option; write callbackUrl', (client) => client.callGroup('a', '', misspelt)],
  ['"callbackURL" is not an option; write callbackUrl', (client) => client.batch([], misspelt)],
  ['calls: must be an array', (client) => client.batch({ function: 'a' } as unknown as [])],
  [
    '"timeoutMS" is not an option; write timeoutMs',
    (client) => client.wait('a', { timeoutMS: 5 } as unknown as WaitOptions),
  ],
  ['options: must be an object with submitter, signal', (client) => client.get('a', 5 as unknown as object)],
  ['"wait" is not an option; write one of submitter, signal', (client) => client.result('a', { wait: 5 } as object)],
  ['"Submitter" is not an option; write submitter', (client) => client.cancel('a', { Submitter: 'b' } as object)],
  ['"Submitter" is not an option; write submitter', (client) => client.erase('a', { Submitter: 'b' } as object)],
  ['"Kind" is not an option; write kind', (client) => client.deadLetters.get('a', { Kind: 'call' } as object)],
  ['"wait" is not an option; write one of submitter, signal', (client) => client.attempts('a', { wait: 5 } as object)],
  [
    'calls.1: "callbackURL" is not an option',
    (client) => client.batch([{ function: 'a' }, { function: 'a', ...misspelt }]),
  ],
])('%s: programs without types are told as well', async (text, run) => {
  const error = await run(new AsyncfnClient({ url: 'http://127.0.0.1:1' })).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionError);
  expect(String(error)).toContain(text);
});

test.each<[string, unknown]>([
  ['options: must be an object with url, token', undefined],
  ['options: must be an object with url, token', 'http://127.0.0.1:1'],
  ['"URL" is not an option; write url', { URL: 'http://127.0.0.1:1' }],
  ['"attempt" is not an option; write one of attempts', { url: 'http://127.0.0.1:1', retry: { attempt: 1 } }],
  ['retry: must be an object with attempts', { url: 'http://127.0.0.1:1', retry: 3 }],
])('%s: a client is not made with such settings', (text, options) => {
  expect(() => new AsyncfnClient(options as AsyncfnClientOptions)).toThrow(OptionError);
  expect(() => new AsyncfnClient(options as AsyncfnClientOptions)).toThrow(text);
});

test('a token that no header can carry is an error that does not quote it', async () => {
  for (const token of ['secret\n', '', 'sécret']) {
    const error = await new AsyncfnClient({ url: 'http://127.0.0.1:1', token })
      .call('a')
      .catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(OptionError);
    expect(String(error)).not.toContain('cret');
  }
});
