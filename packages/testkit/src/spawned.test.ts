import { expect, test } from 'vitest';
import { eventually } from './eventually.ts';
import { forgetEnded, noteSpawned, tailsSince } from './spawned.ts';

test('the tails are those of the processes that were running at that time or later', async () => {
  let end = (): void => {};
  const exited = new Promise<void>((resolve) => {
    end = resolve;
  });
  noteSpawned({ exited, tail: 'early' });
  noteSpawned({ exited: new Promise(() => {}), tail: 'runs' });
  const begin = performance.now();
  expect(tailsSince(begin)).toBe('early\nruns\n');
  end();
  await eventually(() => performance.now() > begin + 5);
  expect(tailsSince(begin)).toBe('early\nruns\n');
  expect(tailsSince(performance.now())).toBe('runs\n');
});

test('processes that have ended can be forgotten', async () => {
  const begin = performance.now();
  noteSpawned({ exited: Promise.resolve(), tail: 'ended' });
  noteSpawned({ exited: new Promise(() => {}), tail: 'goes on' });
  await eventually(() => performance.now() > begin + 5);
  expect(tailsSince(begin)).toContain('ended\n');
  forgetEnded();
  expect(tailsSince(begin)).not.toContain('ended\n');
  expect(tailsSince(begin)).toContain('goes on\n');
});

test('a log that cannot be read does not hide the others', () => {
  noteSpawned({
    exited: new Promise(() => {}),
    get tail(): string {
      throw new Error('ENOENT');
    },
  });
  expect(tailsSince(performance.now())).toMatch(/a log that cannot be read: Error: ENOENT/);
});
