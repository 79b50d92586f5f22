import { setImmediate as nextTurn } from 'node:timers/promises';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { expect, onTestFinished, test } from 'vitest';
import type { Broker } from '../connecting/broker.ts';
import { Publisher } from './publisher.ts';

/** A broker that comes and goes on demand, and a connection that records its messages. */
function scriptedBroker() {
  const sent: string[] = [];
  const connection = {
    subscribe: () => ({ unsubscribe: () => {} }),
    publish: (subject: string) => void sent.push(subject),
  } as unknown as NatsConnection;
  let connect: (connection: NatsConnection) => void = () => {};
  let disconnect: () => void = () => {};
  const broker = {
    connected: true,
    connection,
    createInbox: () => '_INBOX.test',
    onConnect: (listener: typeof connect) => {
      connect = listener;
    },
    onDisconnect: (listener: typeof disconnect) => {
      disconnect = listener;
    },
  } as unknown as Broker;
  // After this time a timer would give up unanswered messages, in the middle of another test.
  onTestFinished(() => disconnect());
  return { broker, sent, connect: () => connect(connection), disconnect: () => disconnect() };
}

const message = (subject: string) => ({ subject, headers: headers(), body: new Uint8Array() });

test('a message that was refused before it was sent is not sent later, over any connection', async () => {
  const { broker, sent, connect, disconnect } = scriptedBroker();
  const publisher = new Publisher(broker);
  connect();
  const lost = publisher.publish(message('lost'));
  disconnect();
  connect();
  void publisher.publish(message('kept'));
  expect(await lost).toMatchObject({ kind: 'refused', reason: 'unavailable' });
  await nextTurn();
  expect(sent).toEqual(['kept']);
});

test('messages of one tick of the event loop are sent at its end, in order', async () => {
  const { broker, sent, connect } = scriptedBroker();
  const publisher = new Publisher(broker);
  connect();
  void publisher.publish(message('a'));
  void publisher.publish(message('b'));
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['a', 'b']);
});
