import { expect, test } from 'vitest';
import { allConfigured } from './all-configured.ts';
import { ConfigError } from './config.ts';

const wrong = (name: string) => Promise.reject(new ConfigError([{ name, problem: 'is wrong' }]));

test('valid parts are returned in their order', async () => {
  expect(await allConfigured([Promise.resolve('a'), 2, Promise.resolve(undefined)])).toEqual(['a', 2, undefined]);
});

test('the problems of all parts are reported at once', async () => {
  await expect(allConfigured([wrong('A'), Promise.resolve(1), wrong('B')])).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [{ name: 'A' }, { name: 'B' }],
  });
});

test('an error that is not a ConfigError passes unchanged', async () => {
  const bug = new Error('bug');
  await expect(allConfigured([wrong('A'), Promise.reject(bug)])).rejects.toBe(bug);
});
