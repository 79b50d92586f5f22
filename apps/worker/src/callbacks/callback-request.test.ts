import type { Call, CallbackTask } from '@asyncfn/queue-core';
import { describe, expect, test } from 'vitest';
import { toCallbackRequest, toCallbackTask } from './callback-request.ts';

const receiver = 'http://receiver/hook';
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

function buildCall(changes: Partial<Call> = {}): Call {
  return {
    id: 'call-1',
    function: 'thumbnail.team',
    queue: 'default',
    path: '',
    query: '',
    headers: [],
    callbackUrl: receiver,
    startTime: '1700000000000000000',
    retry: 2,
    body: Buffer.from('body'),
    ...changes,
  };
}

function buildTask(changes: Partial<CallbackTask> = {}): CallbackTask {
  const task = toCallbackTask(buildCall(), { status: 201, headers: [], durationMs: 1234.5678 }, 7, receiver);
  return { ...task, ...changes };
}

describe('the stored callback', () => {
  test('says how the call went', () => {
    expect(toCallbackTask(buildCall(), { status: 201, headers: [], durationMs: 12.5 }, 7, receiver)).toEqual({
      v: 1,
      callId: 'call-1',
      generation: 0,
      function: 'thumbnail.team',
      queue: 'default',
      url: 'http://receiver/hook',
      functionStatus: 201,
      durationMs: 12.5,
      startTime: '1700000000000000000',
      retry: 2,
      maxRetries: 7,
      headers: [],
      tries: 0,
    });
  });

  test('says whose call it was, and whether that token had secrets of its own, and tells the receiver neither', () => {
    const call = buildCall({ submitter: 'partner', ownSecret: true });
    const task = toCallbackTask(call, { status: 200, headers: [], durationMs: 1 }, 7, receiver);
    expect(task).toMatchObject({ submitter: 'partner', ownSecret: true });
    const request = toCallbackRequest(task, Buffer.of(), { userAgent: 'test', timeoutMs: 1, signature: [] });
    expect(JSON.stringify(request.headers)).not.toMatch(/partner|secret/i);
  });

  test("has the caller's headers for receivers, in place of the function's", () => {
    const call = buildCall({
      callbackHeaders: [
        ['X-Tenant', 'seven'],
        ['Authorization', 'Bearer b'],
      ],
    });
    const headers: [string, string][] = [
      ['x-tenant', 'of the function'],
      ['X-Own', 'o'],
      ['authorization', 'none'],
    ];
    const task = toCallbackTask(call, { status: 200, headers, durationMs: 1 }, 7, receiver);
    expect(task.headers).toEqual([
      ['X-Tenant', 'seven'],
      ['Authorization', 'Bearer b'],
      ['X-Own', 'o'],
    ]);
  });

  test("has the function's own headers, except those about the connection, the caller or the call", () => {
    const result = {
      status: 200,
      durationMs: 1,
      headers: [
        ['Content-Type', 'image/png'],
        ['X-Own', 'caf\u00e9'],
        ['Content-Length', '4'],
        ['Connection', 'close, X-Hop'],
        ['X-Hop', '1'],
        ['Transfer-Encoding', 'chunked'],
        ['Set-Cookie', 'session=1'],
        ['Webhook-Id', 'forged'],
        ['Webhook-Timestamp', '1'],
        ['WEBHOOK-SIGNATURE', 'v1,forged'],
        ['X-Function-Status', '200'],
        ['X-Call-Id', 'forged'],
        ['X-Replays', '7'],
        ['X-Chain-Depth', '0'],
        ['X-Parent-Call-Id', 'forged'],
      ] as const,
    };
    expect(toCallbackTask(buildCall(), result, 7, receiver).headers).toEqual([
      ['Content-Type', 'image/png'],
      ['X-Own', 'caf\u00e9'],
    ]);
  });

  test("is in the trace of the caller, whatever the function's response says", () => {
    const headers: Call['headers'] = [
      ['Traceparent', traceparent],
      ['tracestate', 'a=1'],
      ['X-Other', 'not told'],
    ];
    const result = { status: 200, durationMs: 1, headers: [['traceparent', 'of the function']] as const };
    expect(toCallbackTask(buildCall({ headers }), result, 7, receiver).headers).toEqual([
      ['Traceparent', traceparent],
      ['tracestate', 'a=1'],
    ]);
  });

  test("has no header of a response that would steer the request: its host, or a wait for the receiver's consent", () => {
    const headers = [
      ['Host', 'elsewhere'],
      ['Expect', '100-continue'],
    ] as const;
    expect(toCallbackTask(buildCall(), { status: 200, durationMs: 1, headers }, 7, receiver).headers).toEqual([]);
  });
});

describe('the request to a receiver', () => {
  const options = { userAgent: 'asyncfn-worker/1.2.3', timeoutMs: 15_000, signature: [] };

  test('goes to the URL as it is, and tells of the call', () => {
    const task = buildTask({ url: 'https://receiver.example:8443/a%2Fb?x=%20&y#part', headers: [['X-Own', 'yes']] });
    expect(toCallbackRequest(task, Buffer.from('result'), options)).toEqual({
      origin: 'https://receiver.example:8443',
      path: '/a%2Fb?x=%20&y',
      headers: [
        ['X-Own', 'yes'],
        ['X-Call-Id', 'call-1'],
        ['X-Function-Name', 'thumbnail.team'],
        ['X-Function-Status', '201'],
        ['X-Duration-Seconds', '1.234568'],
        ['X-Start-Time', '1700000000000000000'],
        ['X-Retry', '2'],
        ['X-Retry-Max', '7'],
        ['X-Replays', '0'],
        ['X-Chain-Depth', '1'],
        ['User-Agent', 'asyncfn-worker/1.2.3'],
      ],
      body: Buffer.from('result'),
      timeoutMs: 15_000,
      maxResponseBytes: 65_536,
      statusOnly: true,
      signal: undefined,
    });
  });

  test.each([
    ['http://user:pass%20word@receiver', 'user:pass word'],
    ['http://user@receiver', 'user:'],
    ['http://:token@receiver', ':token'],
    ['http://100%zz@receiver', '100%zz:'],
    ['http://caf%C3%A9:%3A%40@receiver', 'caf\u00e9::@'],
  ])('of %s has its credentials as those of HTTP basic', (url, pair) => {
    const { origin, headers } = toCallbackRequest(buildTask({ url }), Buffer.alloc(0), options);
    expect(origin).toBe('http://receiver');
    expect(headers).toContainEqual(['Authorization', `Basic ${Buffer.from(pair).toString('base64')}`]);
  });

  test('says how often the call was replayed, and the depth of a call that it makes', () => {
    const call = buildCall({ generation: 2, chainDepth: 31 });
    const task = toCallbackTask(call, { status: 200, headers: [], durationMs: 1 }, 7, receiver);
    expect(task).toMatchObject({ generation: 2, chainDepth: 31 });
    const { headers } = toCallbackRequest(task, Buffer.alloc(0), options);
    expect(headers).toEqual(
      expect.arrayContaining([
        ['X-Replays', '2'],
        ['X-Chain-Depth', '32'],
      ]),
    );
  });

  test("has one Authorization: that of its URL, or else that of the function's response", () => {
    const headers = [['authorization', 'Bearer of-the-function']] as [string, string][];
    const valuesFor = (url: string) =>
      toCallbackRequest(buildTask({ url, headers }), Buffer.alloc(0), options)
        .headers.filter(([name]) => name.toLowerCase() === 'authorization')
        .map(([, value]) => value);
    expect(valuesFor('http://receiver')).toEqual(['Bearer of-the-function']);
    expect(valuesFor('http://user:pass@receiver')).toEqual([`Basic ${Buffer.from('user:pass').toString('base64')}`]);
  });

  test('is signed', () => {
    const signature = [['webhook-id', 'call-1']] as const;
    expect(toCallbackRequest(buildTask(), Buffer.alloc(0), { ...options, signature }).headers.at(-1)).toEqual([
      'webhook-id',
      'call-1',
    ]);
  });
});
