import { describe, expect, inject, onTestFinished, test } from 'vitest';
import { type GenerationKey, keyOf } from '../src/index.ts';
import { BodyRecords } from '../src/jetstream/bodies/body-records.ts';
import {
  BatchStore,
  CallStore,
  ExpiryStore,
  Handovers,
  Publisher,
  type QueueTopology,
} from '../src/jetstream/index.ts';
import { inTurn } from '../src/jetstream/messages/index.ts';
import { CancelIntents } from '../src/jetstream/store/cancel-intents.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, startWorkerSide } from './harness.ts';

/** More reads than may be under way at once. */
const reads = 100;

interface Busy {
  readonly publisher: Publisher;
  readonly topology: QueueTopology;
  readonly key: GenerationKey;
}

/** A worker whose reads of large messages do not end before the test does. */
async function openBusy(): Promise<Busy> {
  const queue = uniqueQueue();
  const side = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const busy = Array.from({ length: reads }, () => inTurn(side.topology.manager, () => ended));
  onTestFinished(async () => {
    end();
    await Promise.allSettled(busy);
    await side[Symbol.asyncDispose]();
  });
  return { publisher: new Publisher(side.broker), topology: side.topology, key: keyOf(buildCall(queue)) };
}

describe('a record without a body is read while all large reads are under way', () => {
  const batch = { batchId: 'batch-1' };
  test.each<[string, (busy: Busy) => Promise<unknown>]>([
    ['the state of a batch', ({ publisher, topology }) => new BatchStore(publisher, topology).findState(batch)],
    ['the end of a batch', ({ publisher, topology }) => new BatchStore(publisher, topology).findEnd(batch)],
    ['the key of a batch', ({ publisher, topology }) => new BatchStore(publisher, topology).findKey(undefined, 'key')],
    [
      'the state of a callback',
      ({ publisher, topology, key }) => new CallStore(publisher, topology).findCallbackState(key),
    ],
    ['when a call was handed back', ({ publisher, topology, key }) => new Handovers(publisher, topology).lastAt(key)],
    [
      'the record of a body',
      ({ publisher, topology }) => new BodyRecords({ publisher, topology }).find('abcdefghijklmnopqrstuvwx'),
    ],
    ['the intent to cancel a call', ({ publisher, topology, key }) => new CancelIntents(publisher, topology).find(key)],
  ])('%s', async (_what, read) => {
    expect(await read(await openBusy())).toBeUndefined();
  });

  test('whether a call has started', async () => {
    const { publisher, topology, key } = await openBusy();
    const expiry = new ExpiryStore(publisher, topology);
    expect(await expiry.hasStarted(key)).toBe(false);
  });
});
