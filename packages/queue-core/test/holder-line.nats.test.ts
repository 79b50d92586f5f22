import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { answerForHeldCalls, HolderLine } from '../src/index.ts';
import { connected, createBroker } from './connected.ts';

test('that a call was cancelled is told also while the broker is suspected to be away', async () => {
  await using gateway = createBroker(inject('natsUrl'));
  await using worker = createBroker(inject('natsUrl'));
  const heard: string[] = [];
  answerForHeldCalls(worker.broker, {
    report: () => undefined,
    cancel: (callId) => heard.push(callId) > 0,
  });
  gateway.broker.start();
  worker.broker.start();
  await connected(gateway.broker);
  await connected(worker.broker);
  await worker.broker.connection?.flush();
  const line = new HolderLine(gateway.broker);
  gateway.broker.suspect();
  expect(gateway.broker.connected).toBe(false);
  line.tellCancelled('call-1', 0);
  await line.abort('call-2', 0);
  await eventually(() => heard.length === 2);
  expect(heard).toEqual(['call-1', 'call-2']);
});
