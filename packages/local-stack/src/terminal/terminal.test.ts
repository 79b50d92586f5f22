import { expect, test } from 'vitest';
import { Terminal } from './terminal.ts';

function setup(colours = false) {
  const writes: string[] = [];
  return { writes, terminal: new Terminal({ write: (text) => writes.push(text), colours }) };
}

test('every line begins with the name of its process, in columns', () => {
  const { terminal, writes } = setup();
  terminal.showOutput('gateway', 'plain words');
  terminal.showOutput('functions', '{"level":"info","msg":"listening","port":1}');
  expect(writes).toEqual(['gateway   | plain words\n', 'functions | listening port=1\n']);
});

test('an error with its stack stays together and each of its lines has the name', () => {
  const { terminal, writes } = setup();
  terminal.showOutput('worker', '{"level":"fatal","msg":"died","err":{"message":"x","stack":"E\\n    at a"}}');
  expect(writes).toEqual(['worker    | FATAL died: x\nworker    |     at a\n']);
});

test('names have colours on a terminal', () => {
  const { terminal, writes } = setup(true);
  terminal.showOutput('gateway', 'x');
  expect(writes).toEqual(['\x1b[36mgateway   |\x1b[39m x\n']);
});

test('everyday lines of nats-server appear only at level debug', () => {
  const { terminal, writes } = setup();
  const line = (level: string) => `[1] 2026/01/02 12:00:05.123456 [${level}] said`;
  terminal.showNatsOutput(line('INF'));
  terminal.showNatsOutput(line('ERR'));
  terminal.showNatsOutput('not its usual form');
  terminal.level = 'debug';
  terminal.showNatsOutput(line('INF'));
  expect(writes).toEqual([
    'nats      | 12:00:05 ERROR said\n',
    'nats      | not its usual form\n',
    'nats      | 12:00:05 DEBUG said\n',
  ]);
});

test('a logger writes here and honours the level', () => {
  const { terminal, writes } = setup();
  const logger = terminal.createLogger('inbox');
  logger.debug('detail');
  logger.info({ bytes: 3 }, 'callback received');
  expect(writes).toEqual([expect.stringMatching(/^inbox {5}\| \d\d:\d\d:\d\d callback received bytes=3\n$/)]);
});

test('control characters from a misbehaving process do not reach the terminal', () => {
  const { terminal, writes } = setup();
  terminal.showOutput('worker', '\x1b[2Jboo\r');
  expect(writes).toEqual(['worker    | ·[2Jboo·\n']);
});
