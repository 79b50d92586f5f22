import { describe, expect, test } from 'vitest';
import {
  type CheckedSettings,
  withApiSettings,
  withFileSettings,
  withoutApiSettings,
  withoutFileSettings,
  withPause,
} from './change-entry.ts';
import { decodeSchedule, encodeSchedule, type ScheduleEntry } from './schedule-entry.ts';
import type { ScheduleSettings } from './schedule-settings.ts';

function checked(settings: Partial<ScheduleSettings> = {}): CheckedSettings {
  return { settings: { function: 'f', every: '1m', ...settings }, template: { path: '', query: '', headers: [] } };
}

function context(newSeries: string, now = 1_000) {
  return { name: 'tick', now, newSeries };
}

function created(settings: Partial<ScheduleSettings> = {}): ScheduleEntry {
  return withApiSettings(undefined, checked(settings), context('s1'));
}

describe('the moments of a schedule', () => {
  test.each<[string, Partial<ScheduleSettings>]>([
    ['the function', { function: 'g' }],
    ['the body', { body: 'b' }],
    ['what happens to late moments', { catchUp: 'all', overlap: 'skip', jitter: '1s' }],
  ])('go on after a change of %s', (_, change) => {
    expect(withApiSettings(created(), checked(change), context('s2', 9_000))).toMatchObject({
      createdAt: 1_000,
      series: 's1',
    });
  });

  test('begin anew after a change of the time, and count from the creation nevertheless', () => {
    expect(withApiSettings(created(), checked({ every: '2m' }), context('s2', 9_000))).toMatchObject({
      createdAt: 1_000,
      series: 's2',
    });
    const berlin = withApiSettings(
      undefined,
      { ...checked(), settings: { function: 'f', cron: '@daily' } },
      context('s1'),
    );
    const utc = { ...checked(), settings: { function: 'f', cron: '@daily', timeZone: 'UTC' } };
    expect(withApiSettings(berlin, utc, context('s2')).series).toBe('s1');
    const tokyo = { ...checked(), settings: { function: 'f', cron: '@daily', timeZone: 'Asia/Tokyo' } };
    expect(withApiSettings(berlin, tokyo, context('s2')).series).toBe('s2');
  });

  test('end with a pause and begin anew when it is over', () => {
    const paused = withPause(created(), true, context('s2'));
    expect(paused).toMatchObject({ paused: true, series: 's2' });
    expect(withPause(paused, true, context('s3'))).toBe(paused);
    expect(withPause(paused, false, context('s4'))).toMatchObject({ paused: false, series: 's4' });
  });
});

test('a schedule stays paused unless its settings say something else', () => {
  const paused = withPause(created(), true, context('s2'));
  expect(withApiSettings(paused, checked({ body: 'b' }), context('s3')).paused).toBe(true);
  expect(withApiSettings(paused, checked({ paused: false }), context('s3'))).toMatchObject({
    paused: false,
    series: 's3',
  });
  expect(created({ paused: true }).paused).toBe(true);
});

describe('the settings of a functions file', () => {
  const ofFile = checked({ function: 'file' });

  test('are in force until the API has some, and again when those are deleted', () => {
    const file = withFileSettings(undefined, ofFile, context('s1'));
    expect(file).toMatchObject({ source: 'file', settings: ofFile.settings });
    const both = withApiSettings(file, checked(), context('s2'));
    expect(both).toMatchObject({ source: 'api', settings: checked().settings, file: ofFile.settings });
    expect(withoutApiSettings(both, ofFile, context('s3'))).toEqual(file);
  });

  test('wait behind those of the API', () => {
    const api = created();
    const both = withFileSettings(api, ofFile, context('s2'));
    expect(both).toEqual({ ...api, file: ofFile.settings });
    expect(withoutFileSettings(both)).toEqual(api);
    expect(withoutFileSettings(withFileSettings(undefined, ofFile, context('s1')))).toBeUndefined();
  });
});

test('a file that says nothing new leaves a pause by the API as it is', () => {
  const ofFile = checked({ paused: false });
  const paused = withPause(withFileSettings(undefined, ofFile, context('s1')), true, context('s2'));
  expect(withFileSettings(paused, ofFile, context('s3'))).toEqual(paused);
  expect(withFileSettings(paused, checked({ paused: false, body: 'b' }), context('s3')).paused).toBe(false);
});

test('a schedule is read as it was written, and anything else is recognised', () => {
  const entry = { ...created({ json: { a: [1] }, headers: { a: ['b', 'c'] } }), later: 'kept' };
  expect(decodeSchedule(encodeSchedule(entry))).toEqual(entry);
  expect(decodeSchedule(encodeSchedule('removed'))).toBe('removed');
  for (const text of ['', '{}', 'null', '{"v":2}', JSON.stringify({ v: 1, ...entry, name: 'a.b' })]) {
    expect(decodeSchedule(Buffer.from(text))).toBe('unreadable');
  }
});
