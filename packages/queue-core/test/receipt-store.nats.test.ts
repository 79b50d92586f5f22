import { expect, test } from 'vitest';
import { CallCanceller, createCallId, ReceiptStore } from '../src/index.ts';
import { openFinder } from './call-fixture.ts';

async function open() {
  const bench = await openFinder();
  const { topology, publisher } = bench.gateway;
  const store = new ReceiptStore(publisher, topology);
  return { bench, find: (callId: string) => store.find({ callId, queue: bench.queue, function: 'echo' }) };
}

test('a call is held while it is in its queue, and has ended after that', async () => {
  const { bench, find } = await open();
  const { id } = await bench.put();
  expect(await find(id)).toBe('held');
  await bench.canceller.cancel(id);
  expect(await find(id)).toBe('ended');
  expect(await find(createCallId())).toBe('missing');
});

test('a call that was taken out of its queue to be cancelled is not missing before that is on record', async () => {
  const { bench, find } = await open();
  const { id } = await bench.put();
  const { calls } = bench.parts;
  const dead = (): Promise<never> => Promise.reject(new Error('dead'));
  const dying = new CallCanceller({
    ...bench.parts,
    calls: { recordOutcome: dead, findOutcome: calls.findOutcome.bind(calls), putBack: dead },
  });
  await expect(dying.cancel(id)).rejects.toThrow('dead');
  expect(await bench.stored()).toBe(0);
  expect(await find(id)).toBe('held');
  await bench.sweeper.sweep(Date.now() + 11_000);
  expect(await find(id)).toBe('ended');
});
