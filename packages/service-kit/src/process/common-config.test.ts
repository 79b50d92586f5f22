import { availableParallelism } from 'node:os';
import { expect, test } from 'vitest';
import { parseConfig } from '../config/index.ts';
import { processes } from './common-config.ts';

const parse = (value?: string) => parseConfig({ processes: processes('Processes.') }, { PROCESSES: value }).processes;

test('PROCESSES is a number, or one for each core', () => {
  expect([parse(), parse('3'), parse('256')]).toEqual([1, 3, 256]);
  expect(parse('auto')).toBe(availableParallelism());
});

test.each(['0', '257', '-1', '1.5', 'all'])('%j is refused, and the error says what is valid', (text) => {
  expect(() => parse(text)).toThrow('a whole number between 1 and 256, or auto');
});
