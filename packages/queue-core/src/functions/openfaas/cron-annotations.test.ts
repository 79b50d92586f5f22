import { expect, test } from 'vitest';
import { readCronAnnotations } from './cron-annotations.ts';

test.each<[string, object]>([
  ['*/5 * * * *', { cron: '*/5 * * * *' }],
  ['@hourly', { cron: '@hourly' }],
  ['CRON_TZ=Asia/Tokyo 30 4 * * *', { cron: '30 4 * * *', timeZone: 'Asia/Tokyo' }],
  ['TZ=UTC @daily', { cron: '@daily', timeZone: 'UTC' }],
  ['@every 1h30m', { every: '1h30m' }],
])('the schedule %s of the cron-connector is read', (schedule, timing) => {
  expect(readCronAnnotations({ topic: 'cron-function', schedule })).toEqual({ kind: 'timing', timing });
  expect(readCronAnnotations({ topic: 'payments, cron-function', schedule })).toEqual({ kind: 'timing', timing });
});

test('a function with another topic, or none, has no schedule', () => {
  expect(readCronAnnotations({ topic: 'payments', schedule: 'nonsense' })).toBeUndefined();
  expect(readCronAnnotations({ schedule: '* * * * *' })).toBeUndefined();
  expect(readCronAnnotations(undefined)).toBeUndefined();
});

test.each<[object, string, RegExp]>([
  [{}, 'topic', /^needs the annotation schedule/],
  [{ schedule: 'x' }, 'schedule', /^must have five fields/],
  [{ schedule: 'TZ=Nowhere @daily' }, 'schedule', /^must be a time zone/],
  [{ schedule: '@every soon' }, 'schedule', /^must have a duration after @every/],
  [{ schedule: '@every 100ms' }, 'schedule', /^must be a duration from 1s/],
])('%j is a problem', (annotations, annotation, problem) => {
  expect(readCronAnnotations({ topic: 'cron-function', ...annotations })).toEqual({
    kind: 'problem',
    annotation,
    problem: expect.stringMatching(problem),
  });
});
