import { describe, expect, test } from 'vitest';
import { outcomeSubject } from '../records/index.ts';
import {
  batchEndSubject,
  batchItemsSubject,
  batchKeySubject,
  batchStateSubject,
  decodeItems,
  encodeItems,
  hashBatchKey,
  intentsFilter,
  markSubject,
  parseBatchSubject,
  queuedFilter,
} from './index.ts';

const batch = { batchId: 'b-1', submitter: 'team.a' };

describe('the subjects of a batch', () => {
  test.each([
    ['its state', batchStateSubject(batch), 'outcomes.b-1.team=a.batch.state'],
    ['its end', batchEndSubject(batch), 'outcomes.b-1.team=a.batch.end'],
    ['its items', batchItemsSubject(batch, 3), 'outcomes.b-1.team=a.items.3'],
    ['a mark', markSubject(batch, 'failed', 12), 'outcomes.b-1.team=a.failed.12'],
  ])('%s names the batch, as the broker has it', (_, subject, expected) => {
    expect(subject).toBe(expected);
    expect(parseBatchSubject(subject)).toEqual(batch);
  });

  test('the owner of a batch without a token is not a possible name of a token', () => {
    const subject = batchStateSubject({ batchId: 'b' });
    expect(subject).toBe('outcomes.b.~.batch.state');
    expect(parseBatchSubject(subject)).toEqual({ batchId: 'b' });
  });

  test('outcomes, states of callbacks and keys are not records of a batch', () => {
    const outcome = outcomeSubject({ callId: 'b-1', startTime: '17', generation: 0 });
    expect(parseBatchSubject(outcome)).toBeUndefined();
    expect(parseBatchSubject(`${outcome}.callback`)).toBeUndefined();
    expect(parseBatchSubject(batchKeySubject(hashBatchKey('k'), undefined))).toBeUndefined();
  });

  test('find its calls in a queue, and their cancel intents', () => {
    const of = { ...batch, startTime: '17' };
    expect(queuedFilter(of, 'images')).toBe('calls.images.*.*.*.*.team=a.17');
    expect(intentsFilter(of)).toBe('cancels.*.team=a.17.*');
    expect(() => queuedFilter({ ...of, startTime: '*' }, 'images')).toThrow(TypeError);
  });

  test('an id that would be more than one token is refused (P7)', () => {
    expect(() => batchStateSubject({ batchId: 'a.>' })).toThrow(TypeError);
    expect(() => markSubject({ batchId: '*' }, 'failed', 0)).toThrow(TypeError);
  });
});

test('items are decoded as they were encoded, and anything else is refused', () => {
  const items = [
    { callId: 'b-1-0', function: 'echo', queue: 'default' },
    { problem: { code: 'unknown_function', detail: 'no function "ü"' } },
  ];
  expect(decodeItems(encodeItems(items))).toEqual(items);
  expect(decodeItems(Buffer.from('{"a":1}'))).toBeUndefined();
  expect(decodeItems(Buffer.from('['))).toBeUndefined();
});
