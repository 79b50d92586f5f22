import { expect, test } from 'vitest';
import { allConfigured } from './all-configured.ts';
import { ConfigError } from './config.ts';

const wrong = (name: string) => Promise.reject(new ConfigError([{ name, problem: 'is wrong' }]));

test('parts that are all right are there in their order', async () => {
  expect(await allConfigured([Promise.resolve('a'), 2, Promise.resolve(undefined)])).toEqual(['a', 2, undefined]);
});

test('what is wrong with any part is told at once', async () => {
  await expect(allConfigured([wrong('A'), Promise.resolve(1), wrong('B')])).rejects.toMatchObject({
    code: 'config_invalid',
    problems: [{ name: 'A' }, { name: 'B' }],
  });
});

test('an error that is no ConfigError comes through as it is', async () => {
  const bug = new Error('bug');
  await expect(allConfigured([wrong('A'), Promise.reject(bug)])).rejects.toBe(bug);
});
