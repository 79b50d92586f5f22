import { EventEmitter } from 'node:events';
import { expect, test } from 'vitest';
import { SignalFilter } from './signal-filter.ts';

class FakeProcess extends EventEmitter {
  readonly pid = 1;
  readonly env = { PORT: '0' };
  readonly stderr = { write: () => true };
  exitCode: number | string | null | undefined;
  readonly exits: number[] = [];
  exit(code: number): void {
    this.exits.push(code);
  }
}

function setup() {
  const process = new FakeProcess();
  const clock = { now: 0 };
  const filter = new SignalFilter(process, () => clock.now);
  const heard: string[] = [];
  for (const event of ['SIGINT', 'SIGTERM', 'uncaughtException', 'unhandledRejection']) {
    filter.on(event, (value) => heard.push(`${event}: ${value}`));
  }
  const send = (atMs: number, signal: string) => {
    clock.now = atMs;
    process.emit(signal, signal);
  };
  return { process, filter, heard, send };
}

test('one Ctrl-C that arrives three times counts once', () => {
  const { heard, send } = setup();
  send(1_000, 'SIGINT');
  send(1_003, 'SIGINT');
  send(1_020, 'SIGTERM');
  expect(heard).toEqual(['SIGINT: SIGINT']);
});

test('a second Ctrl-C counts', () => {
  const { heard, send } = setup();
  send(1_000, 'SIGINT');
  send(1_400, 'SIGINT');
  send(1_500, 'SIGINT');
  expect(heard).toHaveLength(2);
});

test('failures come through at any time', () => {
  const { process, heard } = setup();
  process.emit('uncaughtException', 'a');
  process.emit('uncaughtException', 'b');
  process.emit('unhandledRejection', 'c');
  expect(heard).toEqual(['uncaughtException: a', 'uncaughtException: b', 'unhandledRejection: c']);
});

test('everything else is the process itself', () => {
  const { process, filter } = setup();
  filter.exitCode = 78;
  filter.exit(1);
  expect(process).toMatchObject({ exitCode: 78, exits: [1] });
  expect([filter.pid, filter.env, filter.stderr, filter.exitCode]).toEqual([1, process.env, process.stderr, 78]);
});
