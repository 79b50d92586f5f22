import { expect, test } from 'vitest';
import { formatLogLine, parseLogLine } from './log-line.ts';

const NOON = new Date(2026, 0, 2, 12, 0, 5).getTime();

function show(fields: Record<string, unknown>, colours = false): string {
  const line = parseLogLine(JSON.stringify({ level: 'info', time: NOON, name: 'gateway', ...fields }));
  return formatLogLine(line!, colours);
}

test('a line is its time, its sentence and its fields', () => {
  expect(show({ server: 'ops', port: 8082, note: 'two words', msg: 'listening' })).toBe(
    '12:00:05 listening server=ops port=8082 note="two words"',
  );
});

test('only an unusual level is named', () => {
  expect(show({ level: 'warn', msg: 'slow' })).toBe('12:00:05 WARN slow');
  expect(show({ level: 'error', msg: 'broken' }, true)).toContain('\x1b[31mERROR\x1b[39m');
});

test('an error with a code is shown by its message, one without by its stack too', () => {
  const stack = 'Error: no\n    at a.ts:1\n    at b.ts:2';
  expect(
    show({ level: 'fatal', msg: 'failed', err: { type: 'E', code: 'port_unavailable', message: 'no', stack } }),
  ).toBe('12:00:05 FATAL failed: no');
  expect(show({ level: 'fatal', msg: 'failed', err: { type: 'E', message: 'no', stack } })).toBe(
    '12:00:05 FATAL failed: no\n    at a.ts:1\n    at b.ts:2',
  );
});

test('no field can harm the terminal', () => {
  expect(show({ callId: '\x1b[2J', msg: 'a\nb\x07' })).toBe('12:00:05 a·b· callId=·[2J');
});

test('text that is not a log line is not taken for one', () => {
  expect(['Segmentation fault', '{}', '[1]', '"x"', 'null', '{"msg":'].map(parseLogLine)).toEqual(
    Array(6).fill(undefined),
  );
});
