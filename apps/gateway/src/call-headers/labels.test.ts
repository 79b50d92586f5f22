import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sortCallHeaders } from './call-headers.ts';

/** The labels of a call with these `X-Label` headers, or why it is refused. */
function labelsOf(...values: string[]): readonly string[] | string | undefined {
  const result = sortCallHeaders(
    values.flatMap((value) => ['X-Label', value]),
    undefined,
    0,
  );
  return result.kind === 'refused' ? result.detail : result.labels;
}

const labels = fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9._=:-]{1,64}$/), { minLength: 1, maxLength: 10 });
const padding = fc.stringMatching(/^[ \t]{0,3}$/);

test('labels come as several headers, separated by commas, or both', () => {
  expect(labelsOf()).toEqual([]);
  expect(labelsOf('customer=7')).toEqual(['customer=7']);
  expect(labelsOf('customer=7, nightly', 'eu:west-1')).toEqual(['customer=7', 'nightly', 'eu:west-1']);
  fc.assert(
    fc.property(labels, padding, fc.nat(10), (sent, space, at) => {
      const line = (part: string[]) => (part.length === 0 ? '' : `${space}${part.join(`${space},${space}`)}${space}`);
      expect(labelsOf(line(sent.slice(0, at)), line(sent.slice(at)))).toEqual(sent);
    }),
  );
});

test('a label that is sent twice counts once', () => {
  expect(labelsOf('a,b,a', 'b')).toEqual(['a', 'b']);
  expect(labelsOf(Array.from({ length: 50 }, () => 'same').join())).toEqual(['same']);
});

test('a label has at most 64 characters, and a call at most 10 labels', () => {
  const of = (count: number) => Array.from({ length: count }, (_, at) => `n${at}`);
  expect(labelsOf('x'.repeat(64))).toHaveLength(1);
  expect(labelsOf(`a,${'x'.repeat(65)}`)).toBe('Label 2 of X-Label has 65 characters. A label may have 64 at most.');
  expect(labelsOf(of(10).join())).toHaveLength(10);
  expect(labelsOf(...of(11))).toBe('X-Label has 11 labels. A call may have 10 at most.');
});

describe('a refusal says which label is wrong and why, but does not quote it (P9)', () => {
  test.each(['a,,b', 'a,', ',a', ','])('%j has an empty one', (value) => {
    expect(labelsOf(value)).toMatch(/^Label [12] of X-Label is empty/);
  });

  test.each(['s3cret!', 's3 cret', 's3cret\u00a0', 's\u00e9cret', 's3cret/', 's3cret*', 's3cret>'])(
    '%j has a character that labels may not have',
    (value) => {
      expect(labelsOf(`fine, ${value}`)).toMatch(/^Label 2 of X-Label has a character/);
      expect(labelsOf(value)).not.toContain('cret');
    },
  );
});

test('a lot of white space is refused as fast as anything else', () => {
  const since = performance.now();
  expect(labelsOf(`a${' '.repeat(500_000)}b`)).toContain('500002 characters');
  expect(performance.now() - since).toBeLessThan(20_000);
});

test('the labels of a response do not label the call that its callback makes', () => {
  const callback = ['X-Call-Id', 'parent-1', 'X-Function-Status', '200', 'X-Start-Time', '1'];
  const result = sortCallHeaders([...callback, 'X-Label', 'not, a label!'], undefined, 0);
  expect(result).toMatchObject({ kind: 'headers', labels: [], origin: { parentId: 'parent-1' } });
});
