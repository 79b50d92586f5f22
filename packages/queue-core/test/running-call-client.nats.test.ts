import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { RunningCallClient, serveRunningCalls } from '../src/jetstream/index.ts';
import { connected, createBroker } from './connected.ts';

test('the signal that a call was cancelled is sent even while the broker may be away', async () => {
  await using gateway = createBroker(inject('natsUrl'));
  await using worker = createBroker(inject('natsUrl'));
  const heard: string[] = [];
  serveRunningCalls(worker.broker, {
    report: () => undefined,
    cancel: ({ callId, submitter, startTime, generation }) =>
      heard.push([callId, submitter, startTime, generation].join()) > 0,
  });
  gateway.broker.start();
  worker.broker.start();
  await connected(gateway.broker);
  await connected(worker.broker);
  await worker.broker.connection?.flush();
  const line = new RunningCallClient(gateway.broker);
  gateway.broker.suspect();
  expect(gateway.broker.connected).toBe(false);
  line.broadcastCancel({ callId: 'call-1', submitter: 'a.b', startTime: '1', generation: 0 });
  await line.abort({ callId: 'call-2', startTime: '2', generation: 3 });
  await eventually(() => heard.length === 2);
  expect(heard).toEqual(['call-1,a.b,1,0', 'call-2,,2,3']);
});
