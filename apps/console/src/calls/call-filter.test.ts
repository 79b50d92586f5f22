import { expect, test } from 'vitest';
import { noFilter, parseFilter, quickFilters, toCancelBody, toParams, toQuery, withQuick } from './call-filter.ts';

const now = Date.parse('2026-01-31T12:00:00Z');
const parse = (query: string) => parseFilter(new URLSearchParams(query));

test('a filter is the same after a way through the URL', () => {
  const query =
    'function=hash&label=customer%3D7&flowKey=a%2Fb%252F%2B&status=failed&status=expired&from=2026-01-31T11%3A00%3A00.000Z&to=2026-01-31T12%3A00%3A00.000Z';
  expect(toParams(parse(query)).toString()).toBe(query);
  expect(toParams(noFilter).toString()).toBe('');
});

test('empty values and repeated ones do not count', () => {
  expect(parse('function=%20&label=&status=&status=failed&status=failed')).toMatchObject({
    texts: {},
    statuses: ['failed'],
  });
});

test('a span is counted from now, and a time from the clock', () => {
  expect(toQuery(parse('within=1h&status=failed'), now)).toEqual({
    status: ['failed'],
    from: '2026-01-31T11:00:00.000Z',
  });
  expect(toQuery(parse('from=2026-01-31T10:00:00Z&to=2026-01-31T11:00:00Z'), now)).toEqual({
    from: '2026-01-31T10:00:00Z',
    to: '2026-01-31T11:00:00Z',
  });
});

test('what is not valid goes to the gateway, which says so', () => {
  expect(toQuery(parse('within=long&status=broken&parent=a%20b'), now)).toEqual({
    from: 'long',
    status: ['broken'],
    parent: 'a b',
  });
});

test('a quick filter keeps the function and the label, and replaces status and time', () => {
  const [failed] = quickFilters;
  const before = parse('function=hash&label=nightly&status=running&from=2026-01-31T10:00:00Z');
  expect(failed && toParams(withQuick(before, failed)).toString()).toBe(
    'function=hash&label=nightly&status=failed&status=expired&within=1h',
  );
});

test('a cancel selects the open calls of a search, and none that came after it', () => {
  const cancel = (query: string) => toCancelBody(toQuery(parse(query), now), '2026-01-31T11:59:00.000Z');
  expect(cancel('label=nightly&status=queued&status=failed')).toEqual({
    label: 'nightly',
    status: ['queued'],
    to: '2026-01-31T11:59:00.000Z',
  });
  expect(cancel('function=hash&to=2026-01-31T11:00:00Z')).toEqual({ function: 'hash', to: '2026-01-31T11:00:00Z' });
});

test.each(['', 'status=failed', 'batch=a&label=b', 'parent=a', 'flowKey=a&label=b'])(
  'there is no cancel for what the API cannot select: %s',
  (query) => expect(toCancelBody(toQuery(parse(query), now), '2026-01-31T11:59:00.000Z')).toBeUndefined(),
);
