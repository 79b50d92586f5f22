import { describe, expect, test } from 'vitest';
import { type OriginHeaders, readOrigin } from './call-origin.ts';

const none: OriginHeaders = {
  callIds: [],
  functionStatuses: [],
  startTimes: [],
  retries: [],
  replays: [],
  parentCallIds: [],
  chainDepths: [],
  batchIds: [],
};
const outside = { kind: 'origin', parentId: undefined, callbackOf: undefined, chainDepth: 0 };
const startTime = '1700000000000000000';
/** The headers that a worker sends to a function, and those that it sends to a receiver. */
const toFunction: OriginHeaders = { ...none, callIds: ['call-1'], startTimes: [startTime], retries: ['0'] };
const toReceiver: OriginHeaders = { ...toFunction, functionStatuses: ['200'], replays: ['0'], chainDepths: ['1'] };

function read(headers: Partial<OriginHeaders>) {
  const origin = readOrigin({ ...none, ...headers });
  return origin.kind === 'refused' ? origin.code : origin;
}

describe('a call from outside', () => {
  test.each<Partial<OriginHeaders>>([
    {},
    { callIds: ['chosen'] },
    { callIds: ['chosen'], startTimes: [startTime] },
    { callIds: ['chosen'], retries: ['0'] },
    { callIds: ['chosen'], parentCallIds: ['call-0'] },
    { startTimes: [startTime], retries: ['0'] },
    // It does not say which call it would be the callback of.
    { functionStatuses: ['200'] },
    { functionStatuses: ['200'], startTimes: [startTime], retries: ['0'], replays: ['x'] },
  ])('follows none (%j)', (headers) => {
    expect(read(headers)).toEqual(outside);
  });

  test('has the depth that it claims', () => {
    expect(read({ chainDepths: ['32'] })).toEqual({ ...outside, chainDepth: 32 });
    expect(read({ chainDepths: ['33'] })).toBe('chain_too_deep');
  });
});

describe('the callback of a batch', () => {
  const ofBatch = { batchIds: ['batch-1'], startTimes: [startTime], chainDepths: ['2'] };

  test('names its batch, and follows no call', () => {
    expect(read(ofBatch)).toEqual({
      kind: 'origin',
      parentId: undefined,
      callbackOf: { callId: 'batch-1', startTime, generation: 0 },
      chainDepth: 2,
    });
  });

  test.each<Partial<OriginHeaders>>([
    { startTimes: [] },
    { batchIds: ['no id'] },
    { batchIds: ['batch-1', 'batch-2'] },
    { callIds: ['chosen'] },
  ])('is not what says something else (%j)', (other) => {
    expect(read({ ...ofBatch, ...other })).toMatchObject({ callbackOf: undefined });
  });
});

describe('a callback', () => {
  test('names the replay generation of its call, and its own depth', () => {
    expect(read(toReceiver)).toEqual({
      kind: 'origin',
      parentId: 'call-1',
      callbackOf: { callId: 'call-1', startTime, generation: 0 },
      chainDepth: 1,
    });
    expect(read({ ...toReceiver, replays: ['3'], chainDepths: ['32'] })).toMatchObject({
      callbackOf: { generation: 3 },
      chainDepth: 32,
    });
  });

  test('of another system, which says less, is a callback as well', () => {
    expect(read({ callIds: ['call-1'], functionStatuses: ['500'] })).toEqual({
      kind: 'origin',
      parentId: 'call-1',
      callbackOf: { callId: 'call-1', startTime: '', generation: 0 },
      chainDepth: 0,
    });
  });

  test.each(['-1', '1.5', 'x', '9'.repeat(16)])('with %j replays is refused', (replays) => {
    expect(read({ ...toReceiver, replays: [replays] })).toBe('invalid_replays');
    expect(read({ ...toReceiver, replays: ['1', '1'] })).toBe('invalid_replays');
  });

  test('beyond the greatest depth is refused', () => {
    expect(read({ ...toReceiver, chainDepths: ['33'] })).toBe('chain_too_deep');
    expect(read({ ...toReceiver, chainDepths: ['999999999'] })).toBe('chain_too_deep');
  });
});

describe('a call from within another one, with the headers that its function got', () => {
  test('follows that one, one hop on, and has an id of its own', () => {
    expect(read(toFunction)).toEqual({ ...outside, parentId: 'call-1', chainDepth: 1 });
    expect(read({ ...toFunction, chainDepths: ['31'] })).toEqual({ ...outside, parentId: 'call-1', chainDepth: 32 });
    expect(read({ ...toFunction, chainDepths: ['32'] })).toBe('chain_too_deep');
  });

  test('is no callback even if that one was: the X-Function-Status belongs to the other', () => {
    const passedOn = { ...toFunction, functionStatuses: ['200'], parentCallIds: ['call-0'], chainDepths: ['1'] };
    expect(read(passedOn)).toEqual({ ...outside, parentId: 'call-1', chainDepth: 2 });
  });
});

test.each(['-1', '1.5', 'x', ' 1', '1,2', '9'.repeat(10)])('a depth of %j is refused', (depth) => {
  for (const headers of [none, toReceiver, toFunction]) {
    expect(read({ ...headers, chainDepths: [depth] })).toBe('invalid_chain_depth');
    expect(read({ ...headers, chainDepths: ['1', '1'] })).toBe('invalid_chain_depth');
  }
});
