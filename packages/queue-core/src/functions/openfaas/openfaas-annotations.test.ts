import { expect, test } from 'vitest';
import { readAnnotations } from './openfaas-annotations.ts';

const attempts = 'com.openfaas.retry.attempts';
const codes = 'com.openfaas.retry.codes';
const minWait = 'com.openfaas.retry.min_wait';
const maxWait = 'com.openfaas.retry.max_wait';
const queue = 'com.openfaas.queue';

test.each([
  [attempts, '0', { retry: { attempts: 0 } }],
  [attempts, '1000', { retry: { attempts: 1000 } }],
  [attempts, 3, { retry: { attempts: 3 } }],
  [codes, '408,429', { retry: { codes: [408, 429] } }],
  [codes, ' 408, 429 ', { retry: { codes: [408, 429] } }],
  [codes, '429,503,429', { retry: { codes: [429, 503] } }],
  [codes, 429, { retry: { codes: [429] } }],
  [minWait, '500ms', { retry: { minWait: '500ms' } }],
  [minWait, '0s', { retry: { minWait: '0s' } }],
  [maxWait, '1h30m', { retry: { maxWait: '1h30m' } }],
  [maxWait, '90s', { retry: { maxWait: '1m30s' } }],
  [queue, 'slow-fn', { queue: 'slow-fn' }],
])('%s: %j', (annotation, value, settings) => {
  const read = readAnnotations({ [annotation]: value });
  expect(read.problems).toEqual([]);
  expect(read.settings).toMatchObject(settings);
});

test.each([
  [attempts, '-1'],
  [attempts, '1001'],
  [attempts, '3.5'],
  [attempts, 'many'],
  [attempts, ''],
  [attempts, 3.5],
  [attempts, null],
  [attempts, true],
  [attempts, ['3']],
  [codes, ''],
  [codes, '429,'],
  [codes, '429;503'],
  [codes, '99'],
  [codes, '600'],
  [codes, '5xx'],
  [codes, [429, 503]],
  [minWait, '10'],
  [minWait, 10],
  [minWait, '-10s'],
  [minWait, '1d'],
  [maxWait, 'forever'],
  [maxWait, '$MAX_WAIT'],
  [queue, 'a.b'],
  [queue, ''],
  [queue, null],
  [queue, 'x'.repeat(64)],
])('%s: %j is a problem', (annotation, value) => {
  const { settings, problems } = readAnnotations({ [annotation]: value });
  expect(problems).toEqual([{ annotation, problem: expect.stringMatching(/^must /) }]);
  expect(settings.queue ?? settings.retry).toBeUndefined();
});

test('all of them are read together, each for itself', () => {
  const annotations = { [attempts]: '7', [codes]: 'x', [minWait]: '1s', [maxWait]: '2s', [queue]: 'slow' };
  expect(readAnnotations(annotations)).toEqual({
    settings: { queue: 'slow', retry: { attempts: 7, minWait: '1s', maxWait: '2s' } },
    problems: [{ annotation: codes, problem: expect.any(String) }],
  });
});

test.each<{ annotations?: Record<string, unknown> | null }>([
  {},
  { annotations: null },
  { annotations: {} },
  { annotations: { topic: 'x', 'com.openfaas.scale.max': 5, constructor: 'x', 'com.openfaas.retry': '' } },
])('other annotations mean nothing: %j', ({ annotations }) => {
  expect(readAnnotations(annotations)).toEqual({ settings: {}, problems: [] });
});
