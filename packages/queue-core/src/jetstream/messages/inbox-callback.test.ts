import { Worker } from 'node:worker_threads';
import type { Msg } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { inboxCallback } from './inbox-callback.ts';

const message = {} as Msg;

test('passes on messages, and nothing else', () => {
  const seen: Msg[] = [];
  const callback = inboxCallback((each) => seen.push(each));
  void callback(null, message);
  void callback(new Error('permission'), message);
  expect(seen).toEqual([message]);
});

test('an error of a handler does not reach the reader of the connection, and is not swallowed', async () => {
  // In a thread of its own, because it ends the thread in which it happens.
  const program = `
    const callback = (${inboxCallback.toString()})(() => { throw new Error('a fault of ours'); });
    callback(null, {});
    require('node:worker_threads').parentPort.postMessage('the reader goes on');
  `;
  const worker = new Worker(program, { eval: true });
  const said: unknown[] = [];
  const thrown: Error[] = [];
  worker.on('message', (text) => said.push(text));
  worker.on('error', (error: Error) => thrown.push(error));
  // The error may arrive before the message, but the end comes last.
  await new Promise((resolve) => worker.once('exit', resolve));
  expect(thrown.map(({ message: text }) => text)).toEqual(['a fault of ours']);
  expect(said).toEqual(['the reader goes on']);
});
