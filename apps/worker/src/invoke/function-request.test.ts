import type { Call } from '@asyncfn/queue-core';
import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import { describe, expect, test } from 'vitest';
import { toFunctionRequest } from './function-request.ts';

const bodies = { read: () => expect.unreachable() };
const options = { userAgent: 'asyncfn-worker/1.2.3', maxRetries: 7, maxResponseBytes: 1024, bodies };

function build(call: Partial<Call> = {}, target: Partial<FunctionConfig> = {}) {
  return toFunctionRequest(
    {
      id: 'call-1',
      function: 'thumbnail',
      queue: 'default',
      path: '',
      query: '',
      headers: [],
      startTime: '1700000000000000000',
      retry: 0,
      body: Buffer.from('body'),
      ...call,
    },
    {
      name: 'thumbnail',
      url: 'http://thumbnail:8080',
      queue: 'default',
      timeoutMs: 0,
      concurrency: undefined,
      maxPending: undefined,
      adaptive: true,
      retry: {
        attempts: undefined,
        minWaitMs: undefined,
        maxWaitMs: undefined,
        backoff: undefined,
        codes: undefined,
      },
      ...target,
    },
    options,
  );
}

describe('the target', () => {
  test.each([
    ['http://fn', '', '', '/'],
    ['http://fn/', '', '', '/'],
    ['http://fn', '/a//b%2F', '', '/a//b%2F'],
    ['http://fn/', '/a', '', '/a'],
    ['http://fn', '', 'x=%20&&y', '/?x=%20&&y'],
    ['http://gateway/function/fn', '', '', '/function/fn'],
    ['http://gateway/function/fn/', '/sub', 'q', '/function/fn/sub?q'],
    ['http://fn', '/../../admin', '', '/../../admin'],
  ])('of %s with %j and %j is %s, byte for byte', (url, path, query, expected) => {
    expect(build({ path, query }, { url }).path).toBe(expected);
  });

  test('is the origin of the URL alone', () => {
    expect(build({}, { url: 'https://fn.example:8443/base?ignored#too' }).origin).toBe('https://fn.example:8443');
  });
});

describe('the headers', () => {
  test('are those of the caller, except for the headers that only asyncfn may set', () => {
    const headers: Call['headers'] = [
      ['Content-Type', 'image/png'],
      ['x-custom', 'caf\u00e9'],
      ['X-Custom', 'again'],
      ['User-Agent', 'curl/8'],
      ['X-CALL-ID', 'forged'],
      ['X-Retry', '99'],
      ['X-Retry-Max', '99'],
      ['X-Start-Time', '1'],
      ['X-Callback-Url', 'http://receiver'],
      ['X-Replays', '9'],
      ['X-Chain-Depth', '9'],
      ['X-Parent-Call-Id', 'forged'],
      ['Content-Length', '4'],
      ['Host', 'gateway'],
      ['Expect', '100-continue'],
      ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
    ];
    expect(build({ headers, retry: 2 }).headers).toEqual([
      ['Content-Type', 'image/png'],
      ['x-custom', 'caf\u00e9'],
      ['X-Custom', 'again'],
      ['traceparent', '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'],
      ['X-Call-Id', 'call-1'],
      ['X-Start-Time', '1700000000000000000'],
      ['X-Retry', '2'],
      ['X-Retry-Max', '7'],
      ['User-Agent', 'asyncfn-worker/1.2.3'],
    ]);
  });

  test('tell which call it follows, and how far it is from the first of its chain', () => {
    expect(build({ parentId: 'call-0', chainDepth: 3 }).headers).toEqual(
      expect.arrayContaining([
        ['X-Parent-Call-Id', 'call-0'],
        ['X-Chain-Depth', '3'],
      ]),
    );
    const names = build({ chainDepth: 0 }).headers.map(([name]) => name);
    expect(names).toEqual(['X-Call-Id', 'X-Start-Time', 'X-Retry', 'X-Retry-Max', 'User-Agent']);
  });

  test('that belong to the connection to the gateway are left out', () => {
    const headers: Call['headers'] = [
      ['Connection', 'keep-alive, X-Hop'],
      ['X-Hop', '1'],
      ['Keep-Alive', 'timeout=5'],
      ['Transfer-Encoding', 'chunked'],
    ];
    const names = build({ headers }).headers.map(([name]) => name);
    expect(names).toEqual(['X-Call-Id', 'X-Start-Time', 'X-Retry', 'X-Retry-Max', 'User-Agent']);
  });
});

describe('user and password of the URL', () => {
  const authorizations = (url: string, headers: Call['headers'] = []) =>
    build({ headers }, { url })
      .headers.filter(([name]) => name.toLowerCase() === 'authorization')
      .map(([, value]) => value);
  const basic = (pair: string) => `Basic ${Buffer.from(pair).toString('base64')}`;

  test.each([
    ['http://user:pass@fn', 'user:pass'],
    ['http://user@fn', 'user:'],
    ['http://:pass@fn', ':pass'],
    ['http://us%20er:p%40ss%3Aw%C3%B6rd%25@fn/x', 'us er:p@ss:wörd%'],
    ['http://user:100%@fn', 'user:100%'],
  ])('of %s are sent as HTTP basic', (url, pair) => {
    expect(authorizations(url)).toEqual([basic(pair)]);
  });

  test('are not part of the address of the request', () => {
    expect(build({}, { url: 'http://user:pass@fn:8080/base' })).toMatchObject({
      origin: 'http://fn:8080',
      path: '/base',
    });
  });

  test('give way to what the caller has sent for the function', () => {
    expect(authorizations('http://user:pass@fn', [['authorization', 'Bearer own']])).toEqual(['Bearer own']);
  });

  test.each(['http://fn', 'http://@fn', 'http://:@fn'])('that %s does not have are not sent', (url) => {
    expect(authorizations(url)).toEqual([]);
  });
});

describe('the deadline', () => {
  test.each([
    [0, undefined, 0],
    [500, undefined, 500],
    [0, 300, 300],
    [500, 300, 300],
    [300, 500, 300],
  ])('of a function of %i ms and a call of %j ms is %i ms', (ofFunction, ofCall, expected) => {
    const call = ofCall === undefined ? {} : { timeoutMs: ofCall };
    expect(build(call, { timeoutMs: ofFunction }).timeoutMs).toBe(expected);
  });
});

test('the body and the limit of the response are passed on', () => {
  expect(build()).toMatchObject({ body: Buffer.from('body'), maxResponseBytes: 1024, signal: undefined });
});
