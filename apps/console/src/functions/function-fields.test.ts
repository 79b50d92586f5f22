import { expect, test } from 'vitest';
import { toSettings, toTexts } from './function-fields.ts';

const settings = {
  url: 'http://thumbnail:8080',
  queue: 'images',
  concurrency: 50,
  adaptive: false,
  retry: { attempts: 10, minWait: '10s', codes: [429] },
};

test('what the form does not show stays as it is', () => {
  expect(toSettings(toTexts(settings), settings)).toEqual(settings);
});

test('an empty field is a setting that is not there', () => {
  const texts = { ...toTexts(settings), queue: ' ', attempts: '', minWait: '' };
  expect(toSettings(texts, settings)).toEqual({
    url: 'http://thumbnail:8080',
    concurrency: 50,
    adaptive: false,
    retry: { codes: [429] },
  });
  expect(toSettings({ ...toTexts({}), url: 'http://a' }, {})).toEqual({ url: 'http://a' });
});

test('numbers are numbers, and what is none goes to the gateway, which says so', () => {
  const texts = { ...toTexts({}), url: 'http://a', concurrency: '5', attempts: 'many', timeout: '15m' };
  expect(toSettings(texts, {})).toEqual({
    url: 'http://a',
    timeout: '15m',
    concurrency: 5,
    retry: { attempts: 'many' },
  });
});
