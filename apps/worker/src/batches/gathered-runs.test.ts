import { expect, test } from 'vitest';
import { GatheredRuns } from './gathered-runs.ts';

test('all callers within a moment share one run, and a caller during the run gets another one', async () => {
  const runs = new GatheredRuns<number>(5);
  let begun = 0;
  let late: Promise<number> | undefined;
  const work = async (): Promise<number> => {
    begun += 1;
    const own = begun;
    late ??= runs.run('a', work);
    return own;
  };
  expect(await Promise.all([runs.run('a', work), runs.run('a', work), runs.run('a', work)])).toEqual([1, 1, 1]);
  expect(await late).toBe(2);
});

test('a run that fails fails for all that share it, and for no other caller', async () => {
  const runs = new GatheredRuns<string>(1);
  const failing = (): Promise<string> => Promise.reject(new Error('broken'));
  const both = await Promise.allSettled([runs.run('a', failing), runs.run('a', failing)]);
  expect(both.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  expect(await Promise.all([runs.run('a', async () => 'a'), runs.run('b', async () => 'b')])).toEqual(['a', 'b']);
});
