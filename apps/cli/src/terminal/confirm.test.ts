import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { confirm } from './confirm.ts';

/** What a question comes to, if the user types `input`, or leaves with the end of the input. */
async function answer(input: string | undefined, { isTTY = true, isSure = false } = {}): Promise<unknown> {
  const stdin = Object.assign(new PassThrough(), { isTTY });
  const stderr = Object.assign(new PassThrough(), { isTTY });
  const asked = confirm({ stdin, stderr }, 'Drop it?', isSure);
  stdin.end(input);
  return await asked.then(
    () => 'done',
    (error: { exitCode: number }) => error.exitCode,
  );
}

test.each([
  ['y\n', 'done'],
  [' YES \n', 'done'],
  ['n\n', 1],
  ['\n', 1],
  [undefined, 1],
])('the answer %j to a question leads to %j', async (input, outcome) => {
  expect(await answer(input)).toBe(outcome);
});

test('without a terminal, only --yes confirms', async () => {
  expect(await answer('y\n', { isTTY: false })).toBe(2);
  expect(await answer(undefined, { isTTY: false, isSure: true })).toBe('done');
});
