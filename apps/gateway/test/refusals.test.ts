import type { RefusalReason } from '@asyncfn/queue-core';
import { FunctionRegister } from '@asyncfn/queue-core/functions';
import { request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { problems } from '../src/problem.ts';
import { functionConfig, startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, post, RawClient } from './raw-client.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway({ maxBodyBytes: 1000 });
});

afterEach(() => gateway[Symbol.asyncDispose]());

/** Splits a raw answer, and checks that it is a well-formed problem. */
function parseProblem(answer: string) {
  const [head = '', body = ''] = answer.split(/\r\n\r\n/);
  const problem = JSON.parse(body);
  expect(head).toMatch(/^content-type: application\/problem\+json$/im);
  expect(head).toMatch(new RegExp(`^HTTP/1.1 ${problem.status} `));
  const known = problems[problem.code as keyof typeof problems];
  expect(problem).toEqual({
    type: `urn:asyncfn:problem:${problem.code}`,
    title: known.title,
    status: known.status,
    detail: expect.any(String),
    code: problem.code,
  });
  return { head, code: problem.code as string, status: problem.status as number, detail: problem.detail as string };
}

async function refused(requestText: string) {
  return parseProblem(await exchange(gateway.port, requestText));
}

test.each([
  ['/async-function/', 'invalid_function_name'],
  ['/async-function/a.b.c', 'invalid_function_name'],
  ['/async-function/*', 'invalid_function_name'],
  ['/async-function/>', 'invalid_function_name'],
  ['/async-function/a%20b', 'invalid_function_name'],
  ['/async-function/a%2eb', 'invalid_function_name'],
  ['/async-function/a%00b', 'invalid_function_name'],
  ['/async-function/%zz', 'invalid_function_name'],
  [`/async-function/${'n'.repeat(10_000)}`, 'invalid_function_name'],
  ['/async-function/echo/../hash', 'invalid_path'],
  ['/async-function/echo/%2e%2E/hash', 'invalid_path'],
  ['/async-function/unknown', 'unknown_function'],
  ['/async-function/hash', 'unknown_function'],
  ['/async-function', 'not_found'],
  ['/', 'method_not_allowed'],
  ['/nothing', 'not_found'],
  ['/%zz', 'malformed_request'],
  ['/%61sync-function/echo', 'not_found'],
  ['/async-function/echo HTTP/1.1\r\nX-Call-Id: a.b\r\nX: ', 'invalid_call_id'],
  ['/async-function/echo HTTP/1.1\r\nX-Call-Id: a\r\nX-Call-Id: a\r\nX: ', 'invalid_call_id'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: ftp://a.test\r\nX: ', 'invalid_callback_url'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://127.0.0.1:8090/\r\nX: ', 'callback_not_allowed'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://a.test@0x7f.1/\r\nX: ', 'callback_not_allowed'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://[::ffff:10.0.0.1]/\r\nX: ', 'callback_not_allowed'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://LocalHost.:8080/\r\nX: ', 'callback_not_allowed'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: https://a.test:22/\r\nX: ', 'callback_not_allowed'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://[::1%25lo]/\r\nX: ', 'invalid_callback_url'],
  ['/async-function/echo HTTP/1.1\r\nX-Callback-Url: http://0x100000000/\r\nX: ', 'invalid_callback_url'],
  ['/async-function/echo HTTP/1.1\r\nX-Max-Retries: many\r\nX: ', 'invalid_max_retries'],
  ['/async-function/echo HTTP/1.1\r\nX-Timeout: 0\r\nX: ', 'invalid_timeout'],
  ['/async-function/echo HTTP/1.1\r\nX-Delay: soon\r\nX: ', 'invalid_delay'],
  ['/async-function/echo HTTP/1.1\r\nX-Not-Before: soon\r\nX: ', 'invalid_not_before'],
  ['/async-function/echo HTTP/1.1\r\nX-Expires-In: 0s\r\nX: ', 'invalid_expires_in'],
  ['/async-function/echo HTTP/1.1\r\nExpect: the-unexpected\r\nX: ', 'expectation_failed'],
  ['/async-function/a b', 'malformed_request'],
  ['/async-function/a\0b', 'malformed_request'],
  // RFC 9112 does not allow it, and neither does node's parser.
  ['/async-function/echo/\xe9', 'malformed_request'],
])('%j is refused as %s', async (target, code) => {
  expect(await refused(post(target))).toMatchObject({ code });
  expect(gateway.queue.accepted).toEqual([]);
});

test('a refused callback names the rule, and what would allow it', async () => {
  const { status, detail } = await refused(
    post('/async-function/echo', 'X-Callback-Url: http://10.0.0.1/?t=s3cret\r\n'),
  );
  expect([status, detail]).toEqual([
    400,
    'The result may not be sent to X-Callback-Url: its host is in the network 10.0.0.0/8 (private), which is not public and not allowed (CALLBACK_ALLOW).',
  ]);
});

test('headers that are too large are refused', async () => {
  const { code, status } = await refused(post('/async-function/echo', `X-Large: ${'x'.repeat(17_000)}\r\n`));
  expect([code, status]).toEqual(['headers_too_large', 431]);
});

describe('methods', () => {
  test.each(['PUT', 'PATCH', 'OPTIONS', 'TRACE', 'PROPFIND'])(
    '%s on a function or a call is 405 and says what is allowed',
    async (method) => {
      for (const target of ['/async-function/echo', '/async-function/echo/a?b']) {
        const { head, code } = await refused(post(target).replace('POST', method));
        expect(code).toBe('method_not_allowed');
        expect(head).toMatch(/^allow: GET, HEAD, DELETE, POST$/im);
      }
    },
  );

  test.each(['GET', 'DELETE'])('%s on the sub-path of a function is 405 and says what is allowed', async (method) => {
    const { head, code } = await refused(post('/async-function/echo/a?b').replace('POST', method));
    expect(code).toBe('method_not_allowed');
    expect(head).toMatch(/^allow: POST$/im);
  });

  test('HEAD on the sub-path of a function is 405 without a body', async () => {
    const { statusCode, headers } = await request(`${gateway.url}/async-function/echo/a`, { method: 'HEAD' });
    expect([statusCode, headers['allow']]).toEqual([405, 'POST']);
  });

  test('POST on the health check is 405 and says what is allowed', async () => {
    const { head } = await refused(post('/healthz'));
    expect(head).toMatch(/^allow: GET, HEAD$/im);
  });

  test('a body is not read if the request does not need it', async () => {
    const answer = await exchange(
      gateway.port,
      'PUT /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Type: ;;\r\nContent-Length: 1000000\r\n\r\n',
    );
    expect(parseProblem(answer).code).toBe('method_not_allowed');
  });
});

describe('a body that is too large', () => {
  test('is refused by its declared length before it is sent', async () => {
    const answer = await refused('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 1001\r\n\r\n');
    expect(answer).toMatchObject({ code: 'body_too_large', detail: expect.stringContaining('1000 bytes') });
  });

  test('in chunks is cut off', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n');
    client.send(`3e8\r\n${'x'.repeat(1000)}\r\n1\r\nx\r\n`);
    expect(parseProblem(await client.answer())).toMatchObject({ code: 'body_too_large', status: 413 });
  });

  test('reaches its refusal even while the client is still sending', async () => {
    const { statusCode, body } = await request(`${gateway.url}/async-function/echo`, {
      method: 'POST',
      body: Buffer.alloc(20_000_000),
    });
    expect(statusCode).toBe(413);
    expect(await body.json()).toMatchObject({ code: 'body_too_large' });
  });

  test('that will never be sent closes the connection, and the answer says so', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send(
      'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nExpect: 100-continue\r\nContent-Length: 1001\r\n\r\n',
    );
    expect(await client.closed()).toMatch(/^HTTP\/1.1 413 .*^connection: close\r$/ims);
  });

  test('leaves the connection usable once it has been sent', async () => {
    await using client = await RawClient.connect(gateway.port);
    client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 5000\r\n\r\n');
    await client.answer(/body_too_large/);
    client.send(`${'x'.repeat(5000)}${post('/async-function/echo')}`);
    await client.answer(/202 Accepted/);
    expect(gateway.queue.accepted).toHaveLength(1);
  });
});

describe('a call that the queue cannot take', () => {
  test.each([
    ['unavailable', 503, 'broker_unavailable'],
    ['timeout', 503, 'broker_timeout'],
    ['overloaded', 503, 'overloaded'],
    ['queue_full', 503, 'queue_full'],
    ['too_large', 413, 'body_too_large'],
    ['conflict', 409, 'call_id_conflict'],
  ] satisfies [RefusalReason, number, string][])('%s is answered %i %s', async (reason, status, code) => {
    gateway.queue.answer = () => ({ kind: 'refused', reason, detail: 'internals of the broker' });
    const answer = await refused(post('/async-function/echo'));
    expect(answer).toMatchObject({ status, code });
    expect(answer.detail).not.toContain('internals');
    if (status === 503) {
      expect(answer.head).toMatch(/^retry-after: [1-9]\d*$/im);
    }
  });

  test('is refused before its body is read while the queue is known to be away', async () => {
    gateway.queue.available = false;
    const head = 'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 900\r\n\r\n';
    expect(await refused(head)).toMatchObject({ code: 'broker_unavailable' });
    expect(await refused(post('/async-function/unknown'))).toMatchObject({ code: 'unknown_function' });
    expect(await refused(post('/async-function/a.b.c'))).toMatchObject({ code: 'invalid_function_name' });
  });

  test.each([
    ['single', 'the durability of the call would be single'],
    [undefined, 'the durability of the call is not known'],
  ] as const)('is refused while it would be less durable than is required: %s', async (found, there) => {
    gateway.queue.available = false;
    gateway.queue.shortfall = { required: 'quorum', found };
    expect(await refused(post('/async-function/echo'))).toMatchObject({
      code: 'broker_unavailable',
      head: expect.stringMatching(/^retry-after: 2$/im),
      detail: `Nothing was stored: ${there}, and REQUIRE_DURABILITY requires quorum. Send the call again later.`,
    });
  });

  test('is accepted again on the same connection once the queue is back', async () => {
    gateway.queue.available = false;
    await using client = await RawClient.connect(gateway.port);
    client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 5\r\n\r\nhello');
    await client.answer(/broker_unavailable/);
    gateway.queue.available = true;
    client.send(post('/async-function/echo'));
    await client.answer(/202 Accepted/);
  });
});

test('an unexpected error is 500, reveals nothing, and is logged once with its cause', async () => {
  gateway.queue.answer = () => {
    throw new Error('internals of the gateway');
  };
  const answer = await exchange(gateway.port, post('/async-function/echo'));
  expect(parseProblem(answer)).toMatchObject({ code: 'internal_error', status: 500 });
  expect(answer).not.toContain('internals');
  const errors = gateway.logs.filter(({ level }) => level === 'error');
  expect(errors).toMatchObject([{ msg: 'request failed', err: { message: 'internals of the gateway' } }]);
});

describe('a request that is not HTTP', () => {
  test.each([
    'complete nonsense\r\n\r\n',
    'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: x\r\n\r\n',
    'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
    'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nBad Header: x\r\n\r\n',
    'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n',
  ])('%j is refused as a problem, and the connection closed', async (text) => {
    await using client = await RawClient.connect(gateway.port);
    client.send(text);
    expect(parseProblem(await client.closed())).toMatchObject({ code: 'malformed_request' });
    expect(gateway.queue.accepted).toEqual([]);
  });

  test('behind a good request is answered after it', async () => {
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    gateway.queue.answer = async () => {
      await released;
      return { kind: 'stored', sequence: 1, duplicate: false };
    };
    await using client = await RawClient.connect(gateway.port);
    client.send(`${post('/async-function/echo')}nonsense\r\n\r\n`);
    await using other = await RawClient.connect(gateway.port);
    other.send('nonsense\r\n\r\n');
    expect(await other.closed()).toMatch(/^HTTP\/1\.1 400 /);
    expect(client.received).toBe('');
    release();
    expect((await client.closed()).match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 202', 'HTTP/1.1 400']);
    expect(gateway.queue.accepted).toHaveLength(1);
  });
});

test('a request that does not arrive in time is 408, and the connection closed', async () => {
  await using impatient = await startTestGateway({
    limits: { requestTimeoutMs: 100, headersTimeoutMs: 100, checkIntervalMs: 20 },
  });
  for (const part of [
    'POST /async-fun',
    'POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 9\r\n\r\nx',
  ]) {
    await using client = await RawClient.connect(impatient.port);
    client.send(part);
    expect(parseProblem(await client.closed())).toMatchObject({ code: 'request_timeout', status: 408 });
  }
  expect(impatient.queue.accepted).toEqual([]);
});

test('function names become labels of metrics only up to a bound', async () => {
  await using open = await startTestGateway({
    register: new FunctionRegister({ functions: new Map(), fallback: (name) => functionConfig(name) }),
  });
  for (let n = 0; n < 1005; n++) {
    await (await request(`${open.url}/async-function/f${n}`, { method: 'POST' })).body.dump();
  }
  const { values } = await open.registry.getSingleMetric('gateway_invocation_function_started')!.get();
  expect(values).toHaveLength(1001);
  expect(values.find(({ labels }) => labels['function_name'] === 'other')?.value).toBe(5);
});
