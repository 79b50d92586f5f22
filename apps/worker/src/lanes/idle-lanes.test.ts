import { expect, test } from 'vitest';
import { IdleLanes } from './idle-lanes.ts';

const idle = { idle: true, deliveredSequence: 7 };

test('a lane is idle from the time at which it was first seen idle', () => {
  const lanes = new IdleLanes();
  expect(lanes.see('a', idle, 1_000)).toBe(0);
  expect(lanes.see('a', idle, 5_000)).toBe(4_000);
  expect(lanes.see('b', idle, 6_000)).toBe(0);
});

test('a lane with something to do is not idle, and its idle time starts again after that', () => {
  const lanes = new IdleLanes();
  lanes.see('a', idle, 0);
  expect(lanes.see('a', { ...idle, idle: false }, 1_000)).toBe(0);
  expect(lanes.see('a', { ...idle, idle: false }, 2_000)).toBe(0);
  expect(lanes.see('a', idle, 3_000)).toBe(0);
  expect(lanes.see('a', idle, 4_000)).toBe(1_000);
});

test('a call that came and went between two checks counts', () => {
  const lanes = new IdleLanes();
  lanes.see('a', idle, 0);
  expect(lanes.see('a', { idle: true, deliveredSequence: 8 }, 60_000)).toBe(0);
});

test('the idle time of a forgotten lane starts again', () => {
  const lanes = new IdleLanes();
  lanes.see('a', idle, 0);
  lanes.forget('a');
  expect(lanes.see('a', idle, 1_000)).toBe(0);
});
