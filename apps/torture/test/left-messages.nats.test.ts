import { startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type JetStreamManager, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, inject, onTestFinished, test } from 'vitest';
import { describeLeft, readLeft } from '../src/broker/left-messages.ts';

const call = 'calls.default.ready.~.quick.call-1.~.1';
const callback = 'callbacks.later.call-2.~.1.0';
const names = ['CALLS_default', 'CALLBACKS'];

/** A server with streams of calls and callbacks, whose count of subjects may be higher than the number of messages. */
async function startStreams() {
  const server = await startNatsServer({ bin: inject('natsServerBin') });
  onTestFinished(async () => void (await server.stop()));
  const connection = await connect({ servers: server.url });
  onTestFinished(() => connection.close());
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'CALLS_default', subjects: ['calls.>', 'flows.>'] });
  await manager.streams.add({ name: 'CALLBACKS', subjects: ['callbacks.>'] });
  const client = jetstream(connection);
  return { manager, put: (subject: string) => client.publish(subject, '') };
}

/** The answer of a server that has lost a message but still counts its subject. */
function countingToo({ streams }: JetStreamManager, lost: string) {
  const info: typeof streams.info = async (name, options) => {
    const result = await streams.info(name, options);
    const isMeant = name === 'CALLS_default' && options?.subjects_filter === '*.*.ready.>';
    return isMeant
      ? { ...result, state: { ...result.state, subjects: { ...result.state.subjects, [lost]: 1 } } }
      : result;
  };
  return { streams: { info, getMessage: streams.getMessage.bind(streams) } };
}

test('the messages that are left are read from the streams, and reported by stream, sequence and subject', async () => {
  const { manager, put } = await startStreams();
  expect(await readLeft(manager, names)).toEqual({ count: 0, messages: [] });
  await put(call);
  await put(callback);
  await put('calls.default.key.hash');
  const { count, messages = [] } = await readLeft(manager, names);
  expect(count).toBe(2);
  expect(messages.map(({ stream, sequence, subject }) => [stream, sequence, subject])).toEqual([
    ['CALLS_default', 1, call],
    ['CALLBACKS', 1, callback],
  ]);
  expect(messages.map(describeLeft)[0]).toMatch(
    /^CALLS_default, sequence 1 of 20.*: calls\.default\.ready\.~\.quick\.call-1/,
  );
});

test('a message that a server counts, but cannot read any more, is not left', async () => {
  const { manager, put } = await startStreams();
  await put(call);
  const lost = 'calls.default.ready.~.quick.call-9.~.9';
  expect(await readLeft(countingToo(manager, lost), names)).toMatchObject({ count: 1, messages: [{ subject: call }] });
});

test('a message that moves while it is looked for is left', async () => {
  const { manager, put } = await startStreams();
  await put(callback);
  let hasMoved = false;
  /** As a schedule that fires after its stream was listed, and before its message is read. */
  const getMessage: typeof manager.streams.getMessage = async (name, query) => {
    if (!hasMoved) {
      hasMoved = true;
      await put(callback.replace('later', 'ready'));
      await manager.streams.purge('CALLBACKS', { filter: callback });
    }
    return await manager.streams.getMessage(name, query);
  };
  const info = manager.streams.info.bind(manager.streams);
  expect(await readLeft({ streams: { info, getMessage } }, names)).toMatchObject({
    count: 1,
    messages: [{ subject: callback.replace('later', 'ready') }],
  });
});

test('calls that wait for a flow key, and what is stored about it, are left', async () => {
  const { manager, put } = await startStreams();
  const ofKey = ['turn.id.call-3.~.1', 'flow.id', 'notice.id'];
  const subjects = ['calls.default.wait.~.quick.call-3.~.1', ...ofKey.map((rest) => `flows.default.${rest}`)];
  for (const subject of subjects) {
    await put(subject);
  }
  const { messages = [] } = await readLeft(manager, names);
  expect(messages.map(({ subject }) => subject).toSorted()).toEqual(subjects.toSorted());
});
