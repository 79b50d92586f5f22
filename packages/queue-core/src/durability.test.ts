import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { durabilityLevels, isAtLeast, type StreamCopies, toDurability, toSyncMode } from './durability.ts';

const single: StreamCopies = { onDisk: true, replicas: 1, current: 1 };
const triple: StreamCopies = { onDisk: true, replicas: 3, current: 3 };

describe('the durability of a PubAck', () => {
  test('on one disk it is single, even if each write is synced', () => {
    expect(toDurability([single], 'interval')).toEqual({ level: 'single', copies: 1, sync: 'interval' });
    expect(toDurability([single], 'always')).toEqual({ level: 'single', copies: 1, sync: 'always' });
  });

  test('on three servers it is a quorum, and synced only if they say so', () => {
    expect(toDurability([triple], 'unknown').level).toBe('quorum');
    expect(toDurability([triple], 'interval').level).toBe('quorum');
    expect(toDurability([triple], 'always').level).toBe('fsync-quorum');
  });

  test('a replica that is still being made does not count, one of three that is away does', () => {
    expect(toDurability([{ ...triple, current: 1 }], 'always')).toMatchObject({ level: 'single', copies: 1 });
    expect(toDurability([{ ...triple, current: 2 }], 'always')).toMatchObject({ level: 'fsync-quorum', copies: 2 });
  });

  test('without a disk, or without a stream, it is memory', () => {
    expect(toDurability([triple, { ...triple, onDisk: false }], 'always').level).toBe('memory');
    expect(toDurability([], 'always')).toEqual({ level: 'memory', copies: 0, sync: 'always' });
  });

  test('another stream never makes it better', () => {
    const copies = fc.record({
      onDisk: fc.boolean(),
      replicas: fc.integer({ min: 1, max: 5 }),
      current: fc.integer({ min: 1, max: 5 }),
    });
    fc.assert(
      fc.property(fc.array(copies, { minLength: 1 }), copies, (streams, further) => {
        const before = toDurability(streams, 'always').level;
        expect(isAtLeast(before, toDurability([...streams, further], 'always').level)).toBe(true);
      }),
    );
  });

  test('each level includes itself and those before it, and none after it', () => {
    for (const [index, level] of durabilityLevels.entries()) {
      expect(durabilityLevels.map((wanted) => isAtLeast(level, wanted))).toEqual(
        durabilityLevels.map((_, other) => other <= index),
      );
    }
  });
});

describe('when servers sync', () => {
  test('is their answer, the weakest of them', () => {
    expect(toSyncMode([{ syncAlways: true }, { syncAlways: true }], false)).toBe('always');
    expect(toSyncMode([{ syncAlways: true }, { syncAlways: false }], true)).toBe('interval');
    expect(toSyncMode([{ syncAlways: true }, undefined], false)).toBe('always');
  });

  test("is the operator's setting if none answers", () => {
    expect(toSyncMode([], true)).toBe('always');
    expect(toSyncMode([undefined], false)).toBe('unknown');
  });
});
