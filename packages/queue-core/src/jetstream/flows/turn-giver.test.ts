import { setImmediate } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { QueueError } from '../../errors.ts';
import { flowPlaceIn } from '../../flows/index.ts';
import { refused } from '../../publish-result.ts';
import { FlowStore } from './flow-store.ts';
import { TurnGiver } from './turn-giver.ts';

test('turns that cannot be given because NATS is away are an error for who gives them, and for nobody else', async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown): unknown => unhandled.push(reason);
  process.on('unhandledRejection', note);
  onTestFinished(() => void process.off('unhandledRejection', note));
  const topology = {
    get manager(): never {
      throw new QueueError('broker', 'the queue topology is not in place yet');
    },
    hasLane: () => true,
    ensureFunction: () => Promise.resolve(),
  };
  const store = new FlowStore(topology, { publish: async () => refused('unavailable', 'NATS is away') });
  const giver = new TurnGiver({ store, topology, lookup: () => undefined, earliest: () => 0 });
  const place = flowPlaceIn('default', { function: 'echo', key: 'order' });
  await expect(giver.give(place)).rejects.toThrow(QueueError);
  await setImmediate();
  expect(unhandled).toEqual([]);
});
