import { createHash, createHmac } from 'node:crypto';
import { type FunctionConfig, FunctionRegister, toWebhookConfig } from '@asyncfn/queue-core/functions';
import type { AcceptResult } from '@asyncfn/queue-core/jetstream';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { BodyBudget } from '../src/http/body-budget.ts';
import { functionConfig, startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, RawClient } from './raw-client.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const secret = 'top-secret';

function taking(name: string, webhook: object, more: Partial<FunctionConfig> = {}): FunctionConfig {
  return { ...functionConfig(name), ...more, webhook: toWebhookConfig({ secretFiles: ['one'], ...webhook }) };
}

const functions = [
  functionConfig('echo'),
  taking('github', { verify: 'github' }),
  taking('hash.prod', { verify: 'github' }),
  taking('stripe', { verify: 'stripe', answer: { status: 202, body: '{"received":true}' } }),
  taking('slack', { verify: 'slack', answer: { body: 'thanks' } }),
  taking('meta', { verify: 'hmac', header: 'X-Hub-Signature-256', prefix: 'sha256=', verifyToken: 'my-verify-token' }),
  taking('small', { verify: 'github', maxBytes: '10' }),
  taking('chained', { verify: 'github' }, { callbackUrl: 'https://own.test/done', steps: ['echo/next'] }),
  taking('keyless', { verify: 'github' }),
];

const register = new FunctionRegister({
  functions: new Map(functions.map((each) => [each.name, each])),
  fallback: undefined,
});
const webhookSecrets = {
  keysOf: (name: string) => (name === 'keyless' ? [] : [Buffer.from('newer'), Buffer.from(secret)]),
  problemsOf: async () => [],
};

let gateway: TestGateway;

beforeAll(async () => {
  gateway = await startTestGateway({
    register,
    webhookSecrets,
    tokens: () => tokensOf([testToken('a', { scopes: ['admin'] })]),
  });
});

afterAll(() => gateway[Symbol.asyncDispose]());

const stored = (): AcceptResult => ({ kind: 'stored', sequence: 1, duplicate: false });

beforeEach(() => {
  gateway.queue.accepted.length = 0;
  gateway.queue.answer = stored;
  gateway.queue.available = true;
  gateway.logs.length = 0;
});

const sign = (body: string | Buffer, key = secret): string => createHmac('sha256', key).update(body).digest('hex');
const now = (): number => Math.floor(Date.now() / 1000);

interface Sent {
  readonly status: number;
  readonly headers: Record<string, string | string[] | undefined>;
  readonly text: string;
}

async function send(path: string, headers: Record<string, string> = {}, body: string | Buffer = '{}'): Promise<Sent> {
  const answer = await request(`${gateway.url}/webhook/${path}`, { method: 'POST', headers, body });
  return { status: answer.statusCode, headers: answer.headers, text: await answer.body.text() };
}

/** A delivery as GitHub signs it. */
function deliver(path: string, headers: Record<string, string> = {}, body: string | Buffer = '{"a":1}') {
  return send(path, { 'X-Hub-Signature-256': `sha256=${sign(body)}`, ...headers }, body);
}

function deliverStripe(body: string, key = secret) {
  return send('stripe', { 'Stripe-Signature': `t=${now()},v1=${sign(`${now()}.${body}`, key)}` }, body);
}

function deliverSlack(body: string) {
  const time = String(now());
  const signature = `v0=${sign(`v0:${time}:${body}`)}`;
  return send('slack', { 'X-Slack-Request-Timestamp': time, 'X-Slack-Signature': signature }, body);
}

test('a signed delivery is stored as a call, and answered with 200 and nothing', async () => {
  const answer = await deliver('github/push/x%2Fy?b=c', {
    'X-GitHub-Event': 'push',
    'Content-Type': 'application/json',
  });
  const { last } = gateway.queue;
  expect([answer.status, answer.text, answer.headers['content-length'], answer.headers['content-type']]).toEqual([
    200,
    '',
    '0',
    undefined,
  ]);
  expect(answer.headers).toMatchObject({ 'x-call-id': last.id });
  expect(last).toMatchObject({ function: 'github', path: '/push/x%2Fy', query: 'b=c', body: Buffer.from('{"a":1}') });
  expect(last).not.toHaveProperty('submitter');
  expect(last.headers).toEqual(
    expect.arrayContaining([
      ['X-Hub-Signature-256', `sha256=${sign('{"a":1}')}`],
      ['X-GitHub-Event', 'push'],
      ['Content-Type', 'application/json'],
      ['X-Forwarded-For', '127.0.0.1'],
    ]),
  );
  expect(gateway.logs).toMatchObject([
    { msg: 'call accepted', callId: last.id, function: 'github', webhook: 'github', bytes: 7 },
  ]);
  const metrics = await gateway.registry.metrics();
  expect(metrics).toContain('http_requests_total{method="POST",path="/webhook/:name",status="200"}');
  expect(metrics).toContain('gateway_invocation_function_started{function_name="github"}');
});

test('the answer is the one that the sender wants', async () => {
  const asJson = await deliverStripe('{"id":"evt_1"}');
  expect([asJson.status, asJson.text, asJson.headers['content-type']]).toEqual([
    202,
    '{"received":true}',
    'application/json; charset=utf-8',
  ]);
  const asText = await deliverSlack('{"event_id":"Ev1"}');
  expect([asText.status, asText.text, asText.headers['content-type']]).toEqual([
    200,
    'thanks',
    'text/plain; charset=utf-8',
  ]);
});

describe('what is not signed', () => {
  const signed = (body: string) => ({ 'X-Hub-Signature-256': `sha256=${sign(body)}` });
  const cases: [string, () => Promise<Sent>, string][] = [
    ['no signature', () => send('github'), 'no signature'],
    [
      'a wrong signature',
      () => deliver('github', { 'X-Hub-Signature-256': `sha256=${sign('x')}` }),
      'no signature matches',
    ],
    [
      'another secret',
      () => deliver('github', { 'X-Hub-Signature-256': `sha256=${sign('{"a":1}', 'x')}` }),
      'no signature matches',
    ],
    ['another scheme', () => send('github', { 'Stripe-Signature': 't=1,v1=00' }), 'no signature'],
    ['an old signature', () => send('stripe', { 'Stripe-Signature': `t=1,v1=${sign('1.{}')}` }), 'signed too long ago'],
    ['no such function', () => deliver('unknown'), 'no such function'],
    ['a function without a webhook', () => deliver('echo'), 'the function has no webhook'],
    ['a function whose secret cannot be read', () => deliver('keyless'), 'no secret of the function can be used'],
    ['a name with a blank', () => deliver('a%20b'), 'no function can have this target'],
    ['an empty name', () => deliver(''), 'no function can have this target'],
    ['a long name', () => deliver('n'.repeat(5_000)), 'no function can have this target'],
    ['a path that climbs', () => deliver('github/..%2f..%2fecho'), 'no function can have this target'],
    ['a body over maxBytes', () => deliver('small', {}, 'x'.repeat(11)), 'the body is larger than maxBytes'],
    ['a body over every limit', () => deliver('github', {}, 'x'.repeat(1024 * 1024 + 1)), 'body_too_large'],
    [
      'a token instead',
      () => send('github', { Authorization: testToken('a', { scopes: ['admin'] }).bearer }),
      'no signature',
    ],
    ['an empty body', () => send('github', signed('x'), ''), 'no signature matches'],
  ];

  test.each(cases)('%s gets the one answer, and makes no call', async (_, attempt, reason) => {
    const answer = await attempt();
    const { date: _date, ...headers } = answer.headers;
    expect(answer.status).toBe(401);
    expect(headers).toEqual({
      'content-type': 'application/problem+json',
      'content-length': String(answer.text.length),
      'www-authenticate': 'Signature realm="asyncfn webhooks"',
      connection: 'keep-alive',
      'keep-alive': 'timeout=72',
    });
    expect(JSON.parse(answer.text)).toEqual({
      type: 'urn:asyncfn:problem:invalid_signature',
      title: 'The signature is not valid',
      status: 401,
      detail: 'The request is not signed as this address requires, or nothing here takes webhooks.',
      code: 'invalid_signature',
    });
    expect(gateway.queue.accepted).toEqual([]);
    expect(gateway.logs).toMatchObject([{ msg: 'request refused', code: 'invalid_signature', reason }]);
  });

  test('is refused in the same way while the queue is away or full', async () => {
    gateway.queue.available = false;
    expect([(await send('github')).status, (await deliver('unknown')).status]).toEqual([401, 401]);
  });

  test('is logged with its function only if that is registered, and counted', async () => {
    await send('github');
    await send('unknown-name');
    expect(gateway.logs[0]).toMatchObject({ function: 'github' });
    expect(gateway.logs[1]).not.toHaveProperty('function');
    expect(JSON.stringify(gateway.logs)).not.toContain('unknown-name');
    const metrics = await gateway.registry.metrics();
    expect(metrics).toMatch(/^gateway_calls_refused_total\{code="invalid_signature"\} \d+$/m);
    expect(metrics).toContain('http_requests_total{method="POST",path="/webhook/:name",status="401"}');
  });
});

test('the second of two secrets is as good as the first', async () => {
  expect((await deliver('github', { 'X-Hub-Signature-256': `sha256=${sign('{"a":1}', 'newer')}` })).status).toBe(200);
});

test('a delivery whose length is not announced is taken whole, and bounded', async () => {
  const chunked = async (body: string) => {
    await using client = await RawClient.connect(gateway.port);
    client.send(
      `POST /webhook/github HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n` +
        `X-Hub-Signature-256: sha256=${sign(body)}\r\n\r\n${body.length.toString(16)}\r\n${body}\r\n0\r\n\r\n`,
    );
    return await client.answer(/\r\n\r\n/);
  };
  expect(await chunked('\xe9\x00'.repeat(100))).toMatch(/^HTTP\/1.1 401 /); // raw bytes, not their UTF-8
  expect(await chunked('x'.repeat(1000))).toMatch(/^HTTP\/1.1 200 /);
  expect(await chunked('x'.repeat(1024 * 1024 + 1))).toMatch(/^HTTP\/1.1 401 /);
});

test('bytes that are not text are signed as they are', async () => {
  const body = Buffer.from([0, 0xff, 0xfe, 0x80, 0x0a]);
  expect((await deliver('github', {}, body)).status).toBe(200);
  expect(gateway.queue.last.body).toEqual(body);
});

test('a signature that is sent twice is refused, even if both are right', async () => {
  const header = `X-Hub-Signature-256: sha256=${sign('{}')}\r\n`;
  const answer = await exchange(
    gateway.port,
    `POST /webhook/github HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nConnection: close\r\n${header}${header}\r\n{}`,
  );
  expect(answer).toMatch(/^HTTP\/1.1 401 /);
});

describe('headers that the sender does not sign', () => {
  const steering = {
    'X-Callback-Url': 'https://stranger.test/',
    'X-Failure-Callback-Url': 'nonsense',
    'X-Callback-Forward-X-Tenant': 'seven',
    'X-Then': 'echo',
    'X-Label': 'not,a label!',
    'X-Call-Id': 'mine',
    'X-Start-Time': '1',
    'X-Retry': '7',
    'X-Retry-Max': '7',
    'X-Replays': '1',
    'X-Parent-Call-Id': 'other',
    'X-Chain-Depth': '99',
    'X-Batch-Id': 'b',
    'X-Function-Status': '200',
    'X-Function-Name': 'other',
    'X-Max-Retries': '0',
    'X-Timeout': '1ms',
    'X-Delay': '365d',
    'X-Not-Before': '2099-01-01T00:00:00Z',
    'X-Expires-In': '1s',
    'X-Function-Authorization': 'Bearer stolen',
    'X-Flow-Key': 'k',
    'X-Flow-Control': 'parallelism=1',
    'X-Schedule-Name': 'nightly',
    'X-Scheduled-At': '2030-01-01T00:00:00Z',
    'Idempotency-Key': 'a key',
    Authorization: 'Bearer x',
    Prefer: 'wait=60',
    traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
    tracestate: 'a=b',
  };

  test('steer nothing, and do not reach the function', async () => {
    const { status } = await deliver('github', { ...steering, 'X-GitHub-Delivery': 'd-1', 'X-Custom': 'kept' });
    expect(status).toBe(200);
    const { call, ...how } = gateway.queue.accepted[0]!;
    expect(how).toEqual({ unique: false, key: 'webhook ? d-1', derived: false });
    const { headers, ...others } = call;
    expect(others).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      function: 'github',
      queue: 'default',
      path: '',
      query: '',
      startTime: expect.any(String),
      retry: 0,
      body: Buffer.from('{"a":1}'),
    });
    const names = headers.map(([name]) => name.toLowerCase());
    const dropped = Object.keys(steering).filter((name) => name !== 'Prefer');
    expect(names.filter((name) => dropped.some((each) => each.toLowerCase() === name))).toEqual([]);
    expect(headers).toContainEqual(['X-Custom', 'kept']);
  });

  test('the settings of the function do', async () => {
    await deliver('chained', { 'X-Callback-Url': 'https://stranger.test/', 'X-Then': 'github' });
    expect(gateway.queue.last).toMatchObject({
      callbackUrl: 'https://own.test/done',
      steps: [{ function: 'echo', path: '/next' }],
    });
  });
});

describe('a delivery that comes again', () => {
  const replayed: AcceptResult = {
    kind: 'replayed',
    earlier: { callId: 'the-first', startTime: '1700000000000000001' },
  };

  test('is the first call, with the answer of the first', async () => {
    gateway.queue.answer = () => replayed;
    const answer = await deliver('github', { 'X-GitHub-Delivery': 'd-1' });
    expect([answer.status, answer.text]).toEqual([200, '']);
    expect(answer.headers).toMatchObject({ 'x-call-id': 'the-first', 'idempotency-replayed': 'true' });
    expect(gateway.logs).toMatchObject([{ level: 'info', msg: 'call was already accepted', callId: 'the-first' }]);
  });

  test('is known by the id that its sender has for it, and by the address that it is sent to', async () => {
    await deliver('github/a?b', { 'X-GitHub-Delivery': 'd-1' });
    await deliver('github/a', { 'X-GitHub-Delivery': 'd-1' });
    await deliverStripe('{"id":"evt_7"}');
    await deliverSlack('{"event_id":"Ev7"}');
    await deliver('github');
    expect(gateway.queue.accepted.map(({ key }) => key)).toEqual([
      'webhook /a?b d-1',
      'webhook /a? d-1',
      'webhook ? evt_7',
      'webhook ? Ev7',
      undefined,
    ]);
  });

  test('with another body is a call of its own, and a warning', async () => {
    const results: AcceptResult[] = [{ kind: 'key_reused' }, stored()];
    const keys: (string | undefined)[] = [];
    gateway.queue.answer = (_, { key }) => {
      keys.push(key);
      return results.shift()!;
    };
    expect((await deliver('github', { 'X-GitHub-Delivery': 'd-1' })).status).toBe(200);
    const hash = createHash('sha256').update('{"a":1}').digest('hex');
    expect(keys).toEqual(['webhook ? d-1', `webhook ? d-1 ${hash}`]);
    expect(gateway.logs).toMatchObject([
      { level: 'warn', function: 'github', msg: expect.stringContaining('has the id of an earlier one') },
      { level: 'info', msg: 'call accepted' },
    ]);
  });
});

describe('a delivery that cannot be stored', () => {
  test.each(['unavailable', 'timeout', 'overloaded', 'queue_full', 'too_many_pending'] as const)(
    'because of %s gets 503 with Retry-After',
    async (reason) => {
      gateway.queue.answer = () => ({ kind: 'refused', reason, detail: 'no' });
      const answer = await deliver('github');
      expect(answer.status).toBe(503);
      expect(answer.headers['retry-after']).toMatch(/^\d+$/);
    },
  );

  test('because the broker is away or the queue is full gets 503 at once', async () => {
    gateway.queue.available = false;
    expect((await deliver('github')).status).toBe(503);
    gateway.queue.available = true;
    const { refusalFor } = gateway.queue;
    gateway.queue.refusalFor = () => 'too_many_pending';
    expect((await deliver('github')).status).toBe(503);
    gateway.queue.refusalFor = refusalFor;
    expect(gateway.queue.accepted).toEqual([]);
  });

  test('because of an error of ours gets 500, without details', async () => {
    gateway.queue.answer = () => Promise.reject(new Error('internal detail'));
    const answer = await deliver('github');
    expect([answer.status, answer.text.includes('internal detail')]).toEqual([500, false]);
  });

  test('because the register is not known yet gets 503, and what is not signed 401', async () => {
    gateway.functions.complete = false;
    expect([(await deliver('github')).status, (await send('github')).status, (await deliver('new')).status]).toEqual([
      503, 401, 401,
    ]);
    gateway.functions.complete = true;
  });
});

describe('the questions whether an address is right', () => {
  test("Slack's is answered with its challenge, and makes no call", async () => {
    const answer = await deliverSlack('{"type":"url_verification","challenge":"3eZbrw1a<b>"}');
    expect([
      answer.status,
      answer.text,
      answer.headers['content-type'],
      answer.headers['x-content-type-options'],
    ]).toEqual([200, '3eZbrw1a<b>', 'text/plain; charset=utf-8', 'nosniff']);
    expect(gateway.queue.accepted).toEqual([]);
    const unsigned = await send('slack', {}, '{"type":"url_verification","challenge":"3eZbrw1a"}');
    expect(unsigned.status).toBe(401);
  });

  const ask = async (name: string, query: string) => {
    const { statusCode, headers, body } = await request(`${gateway.url}/webhook/${name}?${query}`);
    return [statusCode, await body.text(), headers['content-type']];
  };

  test("Meta's is answered with its challenge to the right token", async () => {
    const query = 'hub.mode=subscribe&hub.challenge=1158201444&hub.verify_token=my-verify-token';
    expect(await ask('meta', query)).toEqual([200, '1158201444', 'text/plain; charset=utf-8']);
    expect(await ask('meta/any/path', query)).toEqual([200, '1158201444', 'text/plain; charset=utf-8']);
  });

  test.each([
    ['meta', 'hub.mode=subscribe&hub.challenge=1&hub.verify_token=wrong'],
    ['meta', 'hub.mode=subscribe&hub.challenge=1'],
    ['meta', 'hub.mode=unsubscribe&hub.challenge=1&hub.verify_token=my-verify-token'],
    ['meta', 'hub.mode=subscribe&hub.verify_token=my-verify-token'],
    ['meta', `hub.mode=subscribe&hub.challenge=${'1'.repeat(1025)}&hub.verify_token=my-verify-token`],
    ['meta', 'hub.mode=subscribe&hub.challenge=%3Cb%3E%0d%0a&hub.verify_token=my-verify-token'],
    ['meta', ''],
    ['github', 'hub.mode=subscribe&hub.challenge=1&hub.verify_token='],
    ['unknown', 'hub.mode=subscribe&hub.challenge=1&hub.verify_token=my-verify-token'],
    ['a b', 'hub.mode=subscribe&hub.challenge=1&hub.verify_token=my-verify-token'],
  ])('%s?%s gets the one answer', async (name, query) => {
    const [status, text] = await ask(encodeURIComponent(name), query);
    expect([status, JSON.parse(String(text)).code]).toEqual([401, 'invalid_signature']);
  });
});

test('other methods get 405, for every name alike', async () => {
  for (const name of ['github', 'unknown', '%zz']) {
    const { statusCode, headers, body } = await request(`${gateway.url}/webhook/${name}`, { method: 'PUT', body: 'x' });
    expect([statusCode, headers['allow']]).toEqual([405, 'GET, HEAD, POST']);
    await body.dump();
  }
});

test('a path that only looks like one after decoding is another path', async () => {
  const { statusCode, body } = await request(`${gateway.url}/%77ebhook/github`, { method: 'POST' });
  expect(statusCode).toBe(404);
  await body.dump();
});

test('a function in a namespace has a webhook as well', async () => {
  expect((await deliver('hash.prod')).status).toBe(200);
});

test('no secret, body, header or query appears in logs, metrics or answers', async () => {
  const answers = [
    await deliver('github?secret-query', { 'X-Custom': 'secret-header' }, 'secret-body'),
    await deliver('unknown?secret-query', { 'X-Custom': 'secret-header' }, 'secret-body'),
    await send('github', { 'X-Hub-Signature-256': 'secret-header' }, 'secret-body'),
  ];
  const shown = [JSON.stringify(answers), JSON.stringify(gateway.logs), await gateway.registry.metrics()].join();
  expect(shown).not.toMatch(/secret-(query|header|body)|top-secret/);
});

describe('the bodies of strangers', () => {
  const mebibyte = 1024 * 1024;

  test.each(['github', 'unknown'])(
    'are not read if no header could be a signature, whoever they are for: %s',
    async (name) => {
      await using client = await RawClient.connect(gateway.port);
      client.send(
        `POST /webhook/${name} HTTP/1.1\r\nHost: a\r\nContent-Length: ${mebibyte}\r\nX-Signature: x\r\n\r\nx`,
      );
      expect(await client.answer()).toMatch(/^HTTP\/1.1 401 /);
      expect(gateway.logs).toContainEqual(expect.objectContaining({ reason: 'no signature' }));
    },
  );

  test('fit into the budget of bodies, are refused without being read beyond it, and leave room for callers', async () => {
    const bodyBudget = new BodyBudget({ limitBytes: 4 * mebibyte });
    await using small = await startTestGateway({ register, webhookSecrets, bodyBudget });
    const forged = `X-Hub-Signature-256: sha256=${sign('x')}\r\n`;
    const head = `POST /webhook/github HTTP/1.1\r\nHost: a\r\n${forged}Content-Length: ${mebibyte}\r\n\r\n`;
    const clients = await Promise.all(Array.from({ length: 8 }, () => RawClient.connect(small.port)));
    for (const client of clients) {
      client.send(`${head}${'x'.repeat(1000)}`);
    }
    await eventually(() => clients.some(({ received }) => received.includes('503')));
    expect(bodyBudget.usedBytes).toBeLessThanOrEqual(3 * mebibyte);
    const call = await request(`${small.url}/async-function/echo`, { method: 'POST', body: 'x'.repeat(mebibyte / 2) });
    expect(call.statusCode).toBe(202);
    await call.body.dump();
    for (const client of clients) {
      await client[Symbol.asyncDispose]();
    }
    await eventually(() => bodyBudget.usedBytes === 0);
  });
});
