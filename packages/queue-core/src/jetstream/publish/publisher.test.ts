import { setImmediate as nextTurn } from 'node:timers/promises';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { expect, onTestFinished, test } from 'vitest';
import type { Broker } from '../connecting/broker.ts';
import { Publisher } from './publisher.ts';

/** A broker that comes and goes on demand, and a connection that notes what it is given. */
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
  // What is not answered by then would be given up by a timer, in the middle of another test.
  onTestFinished(() => disconnect());
  return { broker, sent, connect: () => connect(connection), disconnect: () => disconnect() };
}

const message = (subject: string) => ({ subject, headers: headers(), body: new Uint8Array() });

test('what was refused before it was sent is not sent later, by whatever connection', async () => {
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

test('what a tick of the event loop publishes is sent at its end, in order', async () => {
  const { broker, sent, connect } = scriptedBroker();
  const publisher = new Publisher(broker);
  connect();
  void publisher.publish(message('a'));
  void publisher.publish(message('b'));
  expect(sent).toEqual([]);
  await nextTurn();
  expect(sent).toEqual(['a', 'b']);
});
