import { describe, expect, test } from 'vitest';
import {
  describeRate,
  describeSources,
  type Flow,
  hrefOfFlow,
  hrefOfFlows,
  isFlowKey,
  withoutRepeats,
} from './flow.ts';

const flow: Flow = {
  function: 'ledger',
  key: 'order-7',
  queue: 'default',
  waiting: 2,
  running: 1,
  parallelism: 1,
  rate: null,
  limitsFrom: { parallelism: null, rate: null },
  paused: false,
  pinned: false,
};

describe('the address of a key', () => {
  test.each(['order-7', 'a/b?c#d%2F;"+&=', '<img/src=x>', '~'.repeat(128), '%'.repeat(128), '...'])(
    'keeps the key %j as it is',
    (key) => {
      const url = new URL(hrefOfFlow({ function: 'hash.prod', key, submitter: '' }), 'http://console');
      expect(url.pathname).toBe('/flows/hash.prod');
      expect([url.searchParams.get('key'), url.searchParams.get('submitter'), url.hash]).toEqual([key, '', '']);
    },
  );

  test('names no token if none is known', () => {
    expect(hrefOfFlow({ function: 'ledger', key: 'k' })).toBe('/flows/ledger?key=k');
    expect(hrefOfFlow({ function: 'ledger', key: 'k', submitter: 'shop' })).toBe('/flows/ledger?key=k&submitter=shop');
    expect(hrefOfFlows('hash.prod')).toBe('/flows?function=hash.prod');
  });
});

test('a request is made of what can be a key alone', () => {
  const keys = ['!', '~'.repeat(128), '...', '%2e%2e', '<b>'];
  expect(keys.filter(isFlowKey)).toEqual(keys);
  expect(['', '.', '..', 'a b', 'ä', '~'.repeat(129)].filter(isFlowKey)).toEqual([]);
});

test('limits are told with who has set them', () => {
  const of = (limitsFrom: Flow['limitsFrom'], rate: string | null = '10/1m') =>
    describeSources({ ...flow, rate, limitsFrom });
  expect(of({ parallelism: null, rate: null }, null)).toBe('the default');
  expect(of({ parallelism: 'pin', rate: 'pin' })).toBe('pinned');
  expect(of({ parallelism: 'pin', rate: null }, null)).toBe('pinned');
  expect(of({ parallelism: 'function', rate: 'caller' })).toBe('set by the function; rate named by the latest call');
  expect([describeRate(null), describeRate('1000/1h30m')]).toEqual(['no limit', '1,000 in 1h30m']);
});

test('a key that is on two pages is listed once, as it was later, and keys of two tokens or queues are two', () => {
  const others = [
    { ...flow, submitter: 'shop' },
    { ...flow, queue: 'heavy' },
  ];
  const later = { ...flow, waiting: 9 };
  expect(withoutRepeats([flow, ...others, later])).toEqual([later, ...others]);
});
