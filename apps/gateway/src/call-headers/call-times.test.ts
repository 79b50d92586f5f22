import { formatDuration } from '@asyncfn/units';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CallTimes, notBeforeOf, readCallTimes, type TimeHeaders } from './call-times.ts';

const now = Date.parse('2026-03-01T12:00:00.250Z');
const yearMs = 365 * 24 * 60 * 60 * 1000;

function read(headers: Partial<TimeHeaders>): CallTimes {
  const times = readCallTimes({ delays: [], notBefores: [], expiries: [], ...headers }, now);
  if (times.kind === 'refused') {
    throw new Error(times.detail);
  }
  return times;
}

function refusedCode(headers: Partial<TimeHeaders>): string | undefined {
  const times = readCallTimes({ delays: [], notBefores: [], expiries: [], ...headers }, now);
  return times.kind === 'refused' ? times.code : undefined;
}

test('a call without such headers need not wait', () => {
  expect(notBeforeOf(read({}), now)).toBeUndefined();
});

describe('X-Delay', () => {
  test('of any length up to a year counts from the acceptance of the call', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: yearMs }), (ms) => {
        expect(notBeforeOf(read({ delays: [formatDuration(ms)] }), now + 1)).toBe(now + 1 + ms);
      }),
    );
  });

  test('of more than a year is refused', () => {
    fc.assert(
      fc.property(fc.integer({ min: yearMs + 1, max: Number.MAX_SAFE_INTEGER }), (ms) => {
        expect(refusedCode({ delays: [formatDuration(ms)] })).toBe('invalid_delay');
      }),
    );
  });

  test.each(['0', '0s'])('%s means no delay', (delay) => {
    expect(notBeforeOf(read({ delays: [delay] }), now)).toBeUndefined();
  });

  test.each(['', '-5s', '5', '5 s', '1e3s', 'soon', '5s, 6s', '366d', '٣s'])('%j is refused', (delay) => {
    expect(refusedCode({ delays: [delay] })).toBe('invalid_delay');
  });

  test('sent twice, or beside X-Not-Before, is refused', () => {
    expect(refusedCode({ delays: ['5s', '5s'] })).toBe('invalid_delay');
    expect(refusedCode({ delays: ['5s'], notBefores: ['1772366400'] })).toBe('invalid_delay');
  });
});

describe('X-Not-Before', () => {
  test('takes any time of the coming year in RFC 3339, in any time zone', () => {
    const offsets = fc.integer({ min: -14 * 60, max: 14 * 60 });
    fc.assert(
      fc.property(fc.integer({ min: now + 1, max: now + yearMs }), offsets, (at, offset) => {
        const notBefores = [rfc3339(at, offset)];
        expect(notBeforeOf(read({ notBefores }), now)).toBe(at);
      }),
    );
  });

  test('takes Unix seconds, and rounds them up', () => {
    fc.assert(
      fc.property(fc.integer({ min: now + 1, max: now + yearMs - 1 }), fc.nat({ max: 999_999 }), (at, nanos) => {
        const fraction = `${String(at % 1000).padStart(3, '0')}${String(nanos).padStart(6, '0')}`;
        const notBefores = [`${Math.floor(at / 1000)}.${fraction}`];
        expect(notBeforeOf(read({ notBefores }), now)).toBe(nanos === 0 ? at : at + 1);
      }),
    );
  });

  test.each([
    ['2026-03-01T12:00:01Z', 750],
    ['2026-03-01t12:00:01.5z', 1_250],
    ['2026-03-01 12:00:01.0001Z', 751],
    ['2026-03-01T14:30:01+02:30', 750],
    ['2028-02-29T00:00:00Z', undefined],
    ['1772366401', 750],
    ['1772366401.0001', 751],
  ])('%s is understood', (notBefore, aheadMs) => {
    if (aheadMs === undefined) {
      expect(refusedCode({ notBefores: [notBefore] })).toBe('invalid_not_before'); // a valid day, but too far away
    } else {
      expect(notBeforeOf(read({ notBefores: [notBefore] }), now)).toBe(now + aheadMs);
    }
  });

  test.each([
    '0',
    '1',
    '1970-01-01T00:00:00Z',
    '1969-12-31T23:59:59Z',
    '2016-12-31T23:59:60Z',
    '2026-03-01T12:00:00Z',
    '1772366400.25',
  ])('%s is past, and so is now', (notBefore) => {
    expect(notBeforeOf(read({ notBefores: [notBefore] }), now)).toBeUndefined();
  });

  test.each([
    '',
    '-1',
    '1e9',
    '0x1',
    '1772366401,5',
    '1772366401000',
    'tomorrow',
    '2026-03-02',
    '2026-03-02T12:00Z',
    '2026-03-02T12:00:00',
    '2026-02-30T12:00:00Z',
    '2026-13-01T12:00:00Z',
    '2026-03-02T25:00:00Z',
    '2026-03-02T12:00:00+99:00',
    '2026-03-02T12:00:60Z',
    '2027-03-01T12:00:01Z',
    'Sun, 01 Mar 2026 12:00:01 GMT',
  ])('%j is refused', (notBefore) => {
    expect(refusedCode({ notBefores: [notBefore] })).toBe('invalid_not_before');
  });

  test('sent twice is refused', () => {
    expect(refusedCode({ notBefores: ['1772366401', '1772366401'] })).toBe('invalid_not_before');
  });
});

describe('X-Expires-In', () => {
  test('of any length up to a year is understood', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: yearMs }), (ms) => {
        expect(read({ expiries: [formatDuration(ms)] }).expiresInMs).toBe(ms);
      }),
    );
  });

  test.each(['', '0', '0s', '-1s', '10', '366d', 'never', '1s, 2s'])('%j is refused', (expiresIn) => {
    expect(refusedCode({ expiries: [expiresIn] })).toBe('invalid_expires_in');
  });

  test('sent twice is refused', () => {
    expect(refusedCode({ expiries: ['1s', '1s'] })).toBe('invalid_expires_in');
  });
});

test('any value is either understood or refused, and never quoted (P9)', () => {
  fc.assert(
    fc.property(fc.string(), (tail) => {
      const text = `secret ${tail}`;
      for (const headers of [{ delays: [text] }, { notBefores: [text] }, { expiries: [text] }]) {
        const times = readCallTimes({ delays: [], notBefores: [], expiries: [], ...headers }, now);
        expect(times.kind === 'refused' ? times.detail : '').not.toContain(text);
      }
    }),
  );
});

function rfc3339(at: number, offsetMinutes: number): string {
  const local = new Date(at + offsetMinutes * 60_000).toISOString().slice(0, -1);
  const [hours, minutes] = [Math.floor(Math.abs(offsetMinutes) / 60), Math.abs(offsetMinutes) % 60];
  const two = (number: number): string => String(number).padStart(2, '0');
  return `${local}${offsetMinutes < 0 ? '-' : '+'}${two(hours)}:${two(minutes)}`;
}
