import { setImmediate as nextTurn } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { createBatchedStdout } from './batched-stdout.ts';

function start() {
  const writes: string[] = [];
  let exit = (): void => undefined;
  const destination = createBatchedStdout({
    out: { write: (lines) => void writes.push(lines) },
    onExit: (last) => {
      exit = last;
    },
  });
  const logger = pino(
    { base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    destination,
  );
  return { writes, logger, exit: () => exit() };
}

test('the lines of a tick are one write, in their order', async () => {
  const { logger, writes } = start();
  logger.info('one');
  logger.info('two');
  expect(writes).toEqual([]);
  await nextTurn();
  logger.info('three');
  await nextTurn();
  expect(writes).toEqual([
    '{"level":"info","msg":"one"}\n{"level":"info","msg":"two"}\n',
    '{"level":"info","msg":"three"}\n',
  ]);
});

test('a warning does not wait, and neither do the lines before it', async () => {
  const { logger, writes } = start();
  logger.info('one');
  logger.warn('two');
  logger.info('three');
  expect(writes).toEqual(['{"level":"info","msg":"one"}\n{"level":"warn","msg":"two"}\n']);
  await nextTurn();
  expect(writes.at(-1)).toBe('{"level":"info","msg":"three"}\n');
});

test('no line is held back when the process ends', () => {
  const { logger, writes, exit } = start();
  logger.info('one');
  exit();
  exit();
  expect(writes).toEqual(['{"level":"info","msg":"one"}\n']);
});
