import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CallHeaders, sortCallHeaders } from './call-headers.ts';

const now = Date.parse('2026-03-01T12:00:00Z');
const forwarded = [['X-Forwarded-Proto', 'http']];

function sorted(raw: readonly (readonly [string, string])[], peer?: string): CallHeaders {
  const result = sortCallHeaders(raw.flat(), peer, now);
  if (result.kind === 'refused') {
    throw new Error(result.detail);
  }
  return result;
}

function refusedCode(raw: readonly (readonly [string, string])[]): string | undefined {
  const result = sortCallHeaders(raw.flat(), undefined, now);
  return result.kind === 'refused' ? result.code : undefined;
}

test.each([
  ['X-Callback-Url', 'https://a.test'],
  ['X-Failure-Callback-Url', 'https://b.test'],
  ['X-Callback-Forward-X-Tenant', 'seven'],
  ['X-Call-Id', 'id-1'],
  ['X-Label', 'customer=7'],
  ['Idempotency-Key', 'key-1'],
  ['X-Delay', '10s'],
  ['X-Not-Before', '2026-03-02T12:00:00Z'],
  ['X-Expires-In', '10m'],
  ['X-Timeout', '30s'],
  ['X-Max-Retries', '3'],
  ['X-Function-Authorization', 'Bearer x'],
  ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
  ['tracestate', 'a=b'],
  ['X-Function-Status', '200'],
  ['X-Chain-Depth', '1'],
  ['X-Replays', '1'],
])('%s that is empty is as absent, alone and beside one that is not', (name, value) => {
  expect(sorted([[name, '']])).toEqual(sorted([]));
  expect(
    sorted([
      [name.toLowerCase(), ''],
      [name, value],
      [name, ''],
    ]),
  ).toEqual(sorted([[name, value]]));
});

describe('headers that travel', () => {
  test('keep their order, case, duplicates and bytes', () => {
    const raw = [
      ['b-Second', '2'],
      ['A-First', ''],
      ['Set-Cookie', 'a'],
      ['set-cookie', 'b\xe9\xff'],
      ['Content-Type', 'no type at all'],
      ['traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'],
      ['Nats-Rollup', 'all'],
      ['X-Function-Name', 'not ours to drop'],
      ['X-Duration-Seconds', '1'],
    ] as const;
    expect(sorted(raw).travelling).toEqual([...raw, ...forwarded]);
  });

  test.each([
    'Connection',
    'Keep-Alive',
    'Proxy-Connection',
    'Proxy-Authenticate',
    'Proxy-Authorization',
    'TE',
    'Trailer',
    'Transfer-Encoding',
    'Upgrade',
    'Content-Length',
    'Expect',
    'User-Agent',
    'Authorization',
    'X-Start-Time',
    'X-Retry',
    'X-Retry-Max',
  ])('%s stays behind, in any case', (name) => {
    for (const spelling of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(sorted([[spelling, 'x']]).travelling).toEqual(forwarded);
    }
  });

  test('do not include what Connection names', () => {
    const { travelling } = sorted([
      ['Connection', 'close, X-Hop ,x-other'],
      ['X-Hop', '1'],
      ['X-OTHER', '2'],
      ['connection', 'Third'],
      ['third', '3'],
      ['X-End', '4'],
    ]);
    expect(travelling).toEqual([['X-End', '4'], ...forwarded]);
  });

  test("carry the function's credentials as Authorization, and never the gateway's", () => {
    const { travelling } = sorted([
      ['Authorization', 'for the gateway'],
      ['x-function-authorization', 'for the function'],
    ]);
    expect(travelling).toEqual([['Authorization', 'for the function'], ...forwarded]);
  });

  test('are all of those without a rule of their own', () => {
    const unit = fc.constantFrom('a', 'Z', 'x', '-', '0', '9');
    const name = fc.string({ unit, minLength: 1 }).map((text) => `Z${text}`);
    const value = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)) });
    fc.assert(
      fc.property(fc.array(fc.tuple(name, value)), (raw) => {
        expect(sorted(raw).travelling).toEqual([...raw, ...forwarded]);
      }),
    );
  });
});

describe('X-Forwarded-*', () => {
  test('are added as a proxy does', () => {
    expect(sorted([['Host', 'gateway.test:8080']], '::ffff:10.0.0.7').travelling).toEqual([
      ['X-Forwarded-For', '10.0.0.7'],
      ['X-Forwarded-Host', 'gateway.test:8080'],
      ['X-Forwarded-Proto', 'http'],
    ]);
  });

  test('that came in are extended or kept', () => {
    const raw = [
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Proto', 'https'],
      ['x-forwarded-for', '192.0.2.2'],
      ['X-Forwarded-Host', 'public.test'],
      ['Host', 'inner.test'],
    ] as const;
    expect(sorted(raw, '2001:db8::1').travelling).toEqual([
      ['X-Forwarded-For', '192.0.2.1'],
      ['X-Forwarded-Proto', 'https'],
      ['x-forwarded-for', '192.0.2.2, 2001:db8::1'],
      ['X-Forwarded-Host', 'public.test'],
    ]);
  });
});

describe('X-Call-Id', () => {
  test.each(['a', 'A-b_9', 'x'.repeat(128)])('%s is kept', (id) => {
    expect(sorted([['x-call-id', id]])).toMatchObject({ callId: id, travelling: forwarded });
  });

  test.each(['a.b', 'a b', 'a*', 'a>', '\xe9', 'x'.repeat(129)])('%j is refused', (id) => {
    expect(refusedCode([['X-Call-Id', id]])).toBe('invalid_call_id');
  });

  test('sent twice is refused', () => {
    const twice = [
      ['X-Call-Id', 'a'],
      ['x-call-id', 'a'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_call_id');
  });
});

describe('the callback of another call', () => {
  const callback = [
    ['X-Call-Id', 'call-0'],
    ['X-Start-Time', '1700000000000000000'],
    ['X-Function-Status', '200'],
    ['X-Function-Name', 'before'],
    ['X-Duration-Seconds', '0.1'],
    ['X-Retry', '0'],
    ['X-Retry-Max', '10'],
    ['X-Replays', '1'],
    ['X-Chain-Depth', '2'],
    ['webhook-id', 'call-0'],
  ] as const;

  test('carries the response of its function and how it came about, and says what it follows', () => {
    const response = [
      ['Content-Type', 'image/png'],
      ['X-Own', '1'],
      ['x-own', '2'],
    ] as const;
    const headers = sorted([...response, ...callback]);
    expect(headers.travelling).toEqual([
      ...response,
      ['X-Function-Status', '200'],
      ['X-Function-Name', 'before'],
      ['X-Duration-Seconds', '0.1'],
      ['webhook-id', 'call-0'],
      ...forwarded,
    ]);
    expect(headers.callId).toBeUndefined();
    expect(headers.origin).toEqual({
      kind: 'origin',
      parentId: 'call-0',
      callbackOf: { callId: 'call-0', startTime: '1700000000000000000', generation: 1 },
      chainDepth: 2,
    });
  });

  test.each([
    ['X-Delay', '10s'],
    ['X-Delay', 'soon'],
    ['X-Not-Before', 'never'],
    ['X-Expires-In', '0s'],
    ['X-Timeout', '1ms'],
    ['X-Timeout', 'none'],
    ['X-Max-Retries', '0'],
    ['X-Max-Retries', 'many'],
    ['Idempotency-Key', 'key'],
    ['Idempotency-Key', 'two words'],
    ['X-Function-Authorization', 'Bearer x'],
  ])('does nothing and is not refused for %s: %s in the response', (name, value) => {
    expect(sorted([[name, value], [name, value], ...callback])).toEqual(sorted(callback));
  });

  test('goes on to the URL that the function names', () => {
    const headers = sorted([['X-Callback-Url', 'http://a.test/next'], ...callback]);
    expect(headers).toMatchObject({ callbackUrl: 'http://a.test/next', origin: { parentId: 'call-0' } });
  });

  test('with an invalid id is refused', () => {
    expect(refusedCode([['X-Call-Id', 'a.b'], ...callback.slice(1)])).toBe('invalid_call_id');
  });

  test('that does not name its call is an ordinary call', () => {
    const headers = sorted([['X-Timeout', '3s'], ...callback.slice(2)]);
    expect(headers.travelling.map(([name]) => name)).not.toContain('X-Function-Status');
    expect(headers).toMatchObject({ callId: undefined, timeoutMs: 3_000, origin: { parentId: undefined } });
  });
});

test('a call from within another one follows its own headers, and names that call', () => {
  const headers = sorted([
    ['X-Call-Id', 'call-0'],
    ['X-Start-Time', '1700000000000000000'],
    ['X-Retry', '1'],
    ['X-Retry-Max', '10'],
    ['X-Parent-Call-Id', 'call-before'],
    ['X-Function-Status', '500'],
    ['X-Timeout', '3s'],
    ['Idempotency-Key', 'own'],
  ]);
  expect(headers).toMatchObject({
    callId: undefined,
    timeoutMs: 3_000,
    idempotencyKey: 'own',
    origin: { parentId: 'call-0', callbackOf: undefined, chainDepth: 1 },
  });
  expect(headers.travelling.map(([name]) => name)).toEqual([
    'X-Function-Status',
    'X-Timeout',
    'Idempotency-Key',
    'X-Forwarded-Proto',
  ]);
});

describe('X-Callback-Url', () => {
  test.each(['http://a.test', 'HTTPS://a.test:8443/b?c=d#e', 'http://[::1]:80/', 'http://user:p%20ss@a.test/'])(
    '%s is kept as it came and does not travel',
    (callbackUrl) => {
      expect(sorted([['X-Callback-Url', callbackUrl]])).toMatchObject({ callbackUrl, travelling: forwarded });
    },
  );

  test('sent twice is refused', () => {
    const twice = [
      ['X-Callback-Url', 'http://a.test'],
      ['X-Callback-Url', 'http://b.test'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_callback_url');
  });
});

describe('X-Failure-Callback-Url', () => {
  test('is kept as it came and does not travel', () => {
    const failureCallbackUrl = 'http://a.test/b?c';
    const raw = [['x-failure-callback-url', failureCallbackUrl]] as const;
    expect(sorted(raw)).toMatchObject({ failureCallbackUrl, callbackUrl: undefined, travelling: forwarded });
    expect(refusedCode([...raw, ...raw])).toBe('invalid_callback_url');
  });
});

describe('X-Callback-Forward-*', () => {
  const one = ['X-Callback-Forward-Authorization', 'Bearer r'] as const;

  test('is kept for receivers under the name that follows, and does not travel', () => {
    expect(sorted([one, ['x-callback-forward-x-Tenant', 'seven \xe9']])).toMatchObject({
      callbackHeaders: [
        ['Authorization', 'Bearer r'],
        ['x-Tenant', 'seven \xe9'],
      ],
      travelling: forwarded,
    });
  });

  test('of the response of a function, in a callback, is dropped, as is its failure URL', () => {
    const callback = [
      ['X-Call-Id', 'a'],
      ['X-Function-Status', '200'],
      ['X-Callback-Forward-X-Call-Id', 'not for us to refuse'],
      ['X-Failure-Callback-Url', 'no url'],
    ] as const;
    expect(sorted(callback)).toMatchObject({ callbackHeaders: [], failureCallbackUrl: undefined });
    expect(sorted(callback).travelling.map(([name]) => name)).toEqual(['X-Function-Status', 'X-Forwarded-Proto']);
  });

  test.each([
    '',
    'X-Call-Id',
    'X-Function-Status',
    'X-Duration-Seconds',
    'X-Retry-Max',
    'X-Root-Call-Id',
    'traceparent',
    'user-agent',
    'webhook-signature',
    'Connection',
    'Transfer-Encoding',
    'Host',
    'Content-Type',
    'Content-Anything',
  ])('%j is reserved', (name) => {
    expect(refusedCode([[`X-Callback-Forward-${name}`, 'v']])).toBe('invalid_callback_header');
  });

  test('may be sent 16 times, with 4 KiB in total', () => {
    expect(refusedCode(Array.from({ length: 16 }, () => one))).toBeUndefined();
    expect(refusedCode(Array.from({ length: 17 }, () => one))).toBe('invalid_callback_header');
    expect(refusedCode([['X-Callback-Forward-A', 'v'.repeat(4095)]])).toBeUndefined();
    expect(refusedCode([['X-Callback-Forward-A', 'v'.repeat(4096)]])).toBe('invalid_callback_header');
  });
});

describe('X-Max-Retries', () => {
  test.each([
    ['0', 0],
    ['7', 7],
    ['007', 7],
    ['1000', 1000],
  ])('%s is kept and does not travel', (value, maxRetries) => {
    expect(sorted([['x-max-retries', value]])).toMatchObject({ maxRetries, travelling: forwarded });
  });

  test.each(['-1', '1001', '1.5', '1e2', '0x1', 'many', '1,2', '99999999999999999999'])('%j is refused', (value) => {
    expect(refusedCode([['X-Max-Retries', value]])).toBe('invalid_max_retries');
  });

  test('sent twice is refused', () => {
    const twice = [
      ['X-Max-Retries', '1'],
      ['x-max-retries', '1'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_max_retries');
  });
});

describe('X-Timeout', () => {
  test.each([
    ['30s', 30_000],
    ['250ms', 250],
    ['1m30s', 90_000],
    ['1.5h', 5_400_000],
  ])('%s is kept, and travels on to the function', (value, timeoutMs) => {
    const header = ['x-timeout', value] as const;
    expect(sorted([header])).toMatchObject({ timeoutMs, travelling: [header, ...forwarded] });
  });

  test.each(['0', '0s', '-1s', '30', '30 s', 'soon', '1s, 2s'])('%j is refused', (value) => {
    expect(refusedCode([['X-Timeout', value]])).toBe('invalid_timeout');
  });

  test('sent twice is refused', () => {
    const twice = [
      ['X-Timeout', '1s'],
      ['x-timeout', '1s'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_timeout');
  });
});

test('a call without limits of its own has none', () => {
  expect(sorted([])).toMatchObject({ maxRetries: undefined, timeoutMs: undefined });
});

describe('X-Flow-Key and X-Flow-Control', () => {
  test('are kept, and do not travel on to the function', () => {
    expect(sorted([['X-Flow-Key', 'order/7']])).toMatchObject({ flow: { key: 'order/7' }, travelling: forwarded });
    const both = [
      ['x-flow-key', '!~'],
      ['X-Flow-Control', ' Parallelism = 1000 '],
    ] as const;
    expect(sorted(both)).toMatchObject({ flow: { key: '!~', parallelism: 1000 }, travelling: forwarded });
    const rated = (control: string) =>
      sorted([
        ['X-Flow-Key', 'k'],
        ['X-Flow-Control', control],
      ]);
    const flow = { key: 'k', parallelism: 2, rate: '10/1m' };
    expect(rated('parallelism=2, rate=10, period=1m')).toMatchObject({ flow });
    expect(rated('Period=60s,RATE=10')).toMatchObject({ flow: { key: 'k', rate: '10/1m' } });
    expect(rated('rate=10, period=60m')).toMatchObject({ flow: { key: 'k', rate: '10/1h' } });
    expect(sorted([['X-Flow-Key', '']])).toMatchObject({ flow: undefined });
  });

  test.each([' ', 'two words', '\xe9', '.', '..', 'x'.repeat(129)])('the key %j is refused', (key) => {
    expect(refusedCode([['X-Flow-Key', key]])).toBe('invalid_flow_key');
  });

  test.each([
    'parallelism',
    'parallelism=',
    'parallelism=0',
    'parallelism=1001',
    'parallelism=1.5',
    'rate=1',
    'period=1m',
    'rate=0, period=1m',
    'rate=10, period=1m, rate=20',
    'rate=10/1m',
    'a=1, b=2',
  ])('the control %j is refused', (control) => {
    const headers = [
      ['X-Flow-Key', 'k'],
      ['X-Flow-Control', control],
    ] as const;
    expect(refusedCode(headers)).toBe('invalid_flow_control');
  });

  test.each(['1h1ms', '7d', '8d'])('the period %s is longer than the hour that a caller may name', (period) => {
    const raw = ['X-Flow-Key', 'k', 'X-Flow-Control', `rate=10, period=${period}`];
    expect(sortCallHeaders(raw, undefined, now)).toMatchObject({
      code: 'invalid_flow_control',
      detail: expect.stringContaining('1h'),
    });
  });

  test('a key sent twice, and a control without a key, are refused', () => {
    const twice = [
      ['X-Flow-Key', 'a'],
      ['X-Flow-Key', 'a'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_flow_key');
    expect(refusedCode([['X-Flow-Control', 'parallelism=1']])).toBe('invalid_flow_control');
  });
});

describe('Idempotency-Key', () => {
  test('of 1 to 255 visible ASCII characters is kept, and travels on to the function', () => {
    const unit = fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code));
    fc.assert(
      fc.property(fc.string({ unit, minLength: 1, maxLength: 255 }), (key) => {
        const header = ['idempotency-key', key] as const;
        expect(sorted([header])).toMatchObject({ idempotencyKey: key, travelling: [header, ...forwarded] });
      }),
    );
  });

  test.each([' ', 'two words', 'tab\t', '\xe9', '\x7f', 'x'.repeat(256)])('%j is refused', (key) => {
    expect(refusedCode([['Idempotency-Key', key]])).toBe('invalid_idempotency_key');
  });

  test('sent twice is refused', () => {
    const twice = [
      ['Idempotency-Key', 'a'],
      ['idempotency-key', 'a'],
    ] as const;
    expect(refusedCode(twice)).toBe('invalid_idempotency_key');
  });
});
