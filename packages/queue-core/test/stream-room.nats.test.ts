import { RetentionPolicy } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { StreamRoom } from '../src/jetstream/index.ts';
import { startServer } from './connected.ts';
import { openManager } from './harness.ts';

const mebibyte = 1024 * 1024;
const limit = 16 * mebibyte;
const subject = 'calls.default.ready.~.echo.c-1';

/** A server with a queue that has a limit, and this many processes that send to it independently. */
async function startLimitedQueue(count: number) {
  const server = await startServer();
  const look = await openManager(server.url);
  const { manager } = look;
  const streams = {
    CALLS_default: 'calls.default.>',
    CALLBACKS: 'callbacks.>',
    CANCELS: 'cancels.>',
    EXPIRIES: 'expiries.>',
    SCHEDULES: 'schedules.>',
  };
  for (const [name, subjects] of Object.entries(streams)) {
    await manager.streams.add({ name, subjects: [subjects], retention: RetentionPolicy.Workqueue, max_bytes: limit });
  }
  const topology = { manager, ready: true, onStream: () => {}, listQueues: async () => ['default'] };
  return {
    manager,
    senders: Array.from({ length: count }, () => new StreamRoom(topology)),
    async [Symbol.asyncDispose]() {
      await look[Symbol.asyncDispose]();
      await server.stop();
    },
  };
}

test('sixteen processes that send all they may after each check throw nothing out of a full stream', async () => {
  await using queue = await startLimitedQueue(16);
  const body = Buffer.alloc(64 * 1024);
  let sent = 0;
  await Promise.all(queue.senders.map((room) => room.refresh()));
  // One after the other, which is the worst case: each checks again before the next has sent all that its old check
  // permits.
  for (let round = 0; round < 4; round++) {
    for (const room of queue.senders) {
      while (room.refusalFor(subject, body.length) === undefined) {
        await queue.manager.jetstream().publish(subject, body);
        sent += 1;
      }
      await room.refresh();
    }
  }
  const { state } = await queue.manager.streams.info('CALLS_default');
  expect(sent * body.length).toBeGreaterThan(limit / 2);
  expect(state.messages).toBe(sent);
});

test('a message that is larger than a share of the room left is sent if it is alone, and none beyond the room', async () => {
  await using queue = await startLimitedQueue(1);
  const [room] = queue.senders;
  await room!.refresh();
  expect([2, 2].map((mebibytes) => room!.refusalFor(subject, mebibytes * mebibyte))).toEqual([undefined, 'overloaded']);
  expect(room!.refusalFor(subject, 13 * mebibyte)).toBe('queue_full');
  expect(room!.refusalFor('callbacks.ready.c-1.0', 13 * mebibyte)).toBe('queue_full');
  expect(room!.refusalFor('flows.default.turn.k.~.c-1.1', 13 * mebibyte)).toBe('queue_full');
  // It takes the place of the one before.
  expect(room!.refusalFor('flows.default.flow.k', 13 * mebibyte)).toBeUndefined();
  // There the oldest messages may be dropped.
  expect(room!.refusalFor('outcomes.c-1.0', 13 * mebibyte)).toBeUndefined();
});
