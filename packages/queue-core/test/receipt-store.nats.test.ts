import { quickest } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { type Call, identityOf } from '../src/index.ts';
import { CallCanceller, ReceiptSource, ReceiptStore } from '../src/jetstream/index.ts';
import { openFinder } from './call-fixture.ts';
import { outcomeOf } from './dead-letter-fixture.ts';

async function open() {
  const bench = await openFinder();
  const { topology, publisher } = bench.gateway;
  const store = new ReceiptStore(publisher, topology);
  return {
    bench,
    find: (call: Pick<Call, 'id' | 'startTime'>) =>
      store.find({ ...identityOf(call), queue: bench.queue, function: 'echo' }),
  };
}

test('a call is held while it is in its queue, and has ended after that', async () => {
  const { bench, find } = await open();
  const call = await bench.put();
  expect(await find(call)).toBe('held');
  await bench.canceller.cancel({ callId: call.id });
  expect(await find(call)).toBe('ended');
  // An earlier call of the same id is another one.
  expect(await find({ ...call, startTime: '1700000000000000000' })).toBe('missing');
});

test('a call that has ended and is still in its queue has ended: its outcome may be forgotten with its message', async () => {
  const { bench, find } = await open();
  const call = await bench.put();
  await bench.store.recordOutcome(outcomeOf(call), Buffer.from('done'));
  expect(await bench.stored()).toBe(1);
  expect(await find(call)).toBe('ended');
});

test('a call that was taken out of its queue to be cancelled is not missing before that is on record', async () => {
  const { bench, find } = await open();
  const call = await bench.put();
  const { calls } = bench.parts;
  const dead = (): Promise<never> => Promise.reject(new Error('dead'));
  const dying = new CallCanceller({
    ...bench.parts,
    calls: { recordOutcome: dead, findOutcome: calls.findOutcome.bind(calls), renewOutcome: dead, putBack: dead },
  });
  await expect(dying.cancel({ callId: call.id })).rejects.toThrow('dead');
  expect(await bench.stored()).toBe(0);
  expect(await find(call)).toBe('held');
  await bench.sweeper.sweep(Date.now() + 11_000);
  expect(await find(call)).toBe('ended');
});

test('a worker that stops while it is about to ask for receipts does not wait for them', async () => {
  const { gateway } = await openFinder();
  const source = new ReceiptSource({ topology: gateway.topology, ackWaitMs: 30_000 });
  const tookMs = await quickest(() => source.fetch(1, () => {}, AbortSignal.abort()));
  // It asks for 5 s at a time.
  expect(tookMs).toBeLessThan(3_500);
});
