import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { type CallIdentity, createCallId } from '../src/index.ts';
import { Handovers, Publisher } from '../src/jetstream/index.ts';
import { startServer } from './connected.ts';
import { startWorkerSide } from './harness.ts';

function createIdentity(): CallIdentity {
  return { callId: createCallId(), startTime: '1700000000000000000' };
}

test('the hand-overs of a call are counted, those of another are not', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const [call, other] = [createIdentity(), createIdentity()];
  expect(await handovers.count(call)).toBe(0);
  await Promise.all([call, call, other].map((each) => handovers.note(each)));
  expect(await handovers.count(call)).toBe(2);
  expect(await handovers.count(other)).toBe(1);
});

test('what was begun and not handed back is counted, and the first time goes without saying', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const call = createIdentity();
  expect(await handovers.countUnfinished(call)).toBe(1);
  await Promise.all([handovers.noteBegin(call), handovers.noteBegin(call), handovers.noteBegin(createIdentity())]);
  expect(await handovers.countUnfinished(call)).toBe(3);
  await handovers.note(call);
  expect(await handovers.countUnfinished(call)).toBe(2);
  expect(await handovers.count(call)).toBe(1);
});

test('a hand-over that the broker does not store is remembered by the worker that made it', async () => {
  await using server = await startServer();
  await using worker = await startWorkerSide(server.url);
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  const call = createIdentity();
  server.signal('SIGKILL');
  await eventually(() => !worker.broker.connected);
  await handovers.note(call);
  await expect(handovers.count(call)).rejects.toMatchObject({ code: 'broker' });
  await server.restart();
  await eventually(() => worker.topology.ready);
  expect(await handovers.count(call)).toBe(1);
});

test('an id that could break out of its subject is not noted (P7)', async () => {
  await using worker = await startWorkerSide(inject('natsUrl'));
  const handovers = new Handovers(new Publisher(worker.broker), worker.topology);
  for (const callId of ['', '*', '>', 'a.b', 'a b']) {
    const call = { ...createIdentity(), callId };
    await expect(handovers.note(call)).rejects.toThrow(TypeError);
    await expect(handovers.count(call)).rejects.toThrow(TypeError);
  }
});
