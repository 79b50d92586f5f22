import { expect, test } from 'vitest';
import { parseNatsLine } from './nats-line.ts';

test('a line of nats-server becomes one of ours, its everyday lines being detail', () => {
  expect(parseNatsLine('[4711] 2026/01/02 12:00:05.123456 [INF] Server is ready')).toEqual({
    level: 'debug',
    time: new Date(2026, 0, 2, 12, 0, 5).getTime(),
    message: 'Server is ready',
    fields: {},
  });
});

test.each([
  ['WRN', 'warn'],
  ['ERR', 'error'],
  ['FTL', 'fatal'],
  ['XYZ', 'info'],
])('%s is %s', (theirs, ours) => {
  expect(parseNatsLine(`[1] 2026/01/02 12:00:05.123456 [${theirs}] x`)?.level).toBe(ours);
});

test('a line in another form is not taken for one', () => {
  expect(parseNatsLine('nats-server: flag provided but not defined: -x')).toBeUndefined();
});
