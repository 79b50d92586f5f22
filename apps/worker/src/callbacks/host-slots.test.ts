import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { HostSlots } from './host-slots.ts';

const { signal } = new AbortController();

/** Whether a slot is free right now. */
function isFree(slots: HostSlots, host: string): Promise<boolean> {
  return slots.take(host, 0, signal);
}

describe('slots', () => {
  test('of one host are no more than its share, others still get theirs', async () => {
    const slots = new HostSlots(10, 2);
    expect([await isFree(slots, 'a'), await isFree(slots, 'a'), await isFree(slots, 'a')]).toEqual([true, true, false]);
    expect(await isFree(slots, 'b')).toBe(true);
    slots.release('a');
    expect(await isFree(slots, 'a')).toBe(true);
  });

  test('of all hosts together are no more than there are', async () => {
    const slots = new HostSlots(2, 2);
    expect([await isFree(slots, 'a'), await isFree(slots, 'b'), await isFree(slots, 'c')]).toEqual([true, true, false]);
    expect(slots.free).toBe(0);
  });

  test('agree with a model, whatever comes, waits and goes', async () => {
    const command = fc.record({ host: fc.constantFrom('a', 'b', 'c'), take: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(command), async (commands) => {
        const slots = new HostSlots(4, 2);
        const held = new Map<string, number>();
        const waiting: Promise<void>[] = [];
        const stop = new AbortController();
        const total = (): number => [...held.values()].reduce((sum, each) => sum + each, 0);
        for (const { host, take } of commands) {
          if (take) {
            waiting.push(
              slots.take(host, 60_000, stop.signal).then((granted) => {
                held.set(host, (held.get(host) ?? 0) + (granted ? 1 : 0));
              }),
            );
          } else if ((held.get(host) ?? 0) > 0) {
            held.set(host, (held.get(host) ?? 0) - 1);
            slots.release(host);
          }
          await Promise.resolve().then().then().then();
          expect(total()).toBe(slots.taken);
          expect(total()).toBeLessThanOrEqual(4);
          expect(Math.max(0, ...held.values())).toBeLessThanOrEqual(2);
        }
        stop.abort();
        await Promise.all(waiting);
        expect(total()).toBe(slots.taken);
      }),
    );
  });
});

describe('who finds no slot', () => {
  test('gets the next one of its host, in the order of coming', async () => {
    const slots = new HostSlots(10, 1);
    await slots.take('a', 0, signal);
    const granted: string[] = [];
    const first = slots.take('a', 60_000, signal).then(() => granted.push('first'));
    const second = slots.take('a', 60_000, signal).then(() => granted.push('second'));
    slots.release('a');
    await first;
    expect(granted).toEqual(['first']);
    slots.release('a');
    await second;
    expect(granted).toEqual(['first', 'second']);
    expect(slots.taken).toBe(1);
  });

  test('because all are taken gets that of another host', async () => {
    const slots = new HostSlots(1, 1);
    await slots.take('a', 0, signal);
    const waiting = slots.take('b', 60_000, signal);
    slots.release('a');
    expect(await waiting).toBe(true);
    expect(await isFree(slots, 'a')).toBe(false);
  });

  test('waits no longer than it wants to, and takes nothing after that', async () => {
    const slots = new HostSlots(1, 1);
    await slots.take('a', 0, signal);
    expect(await slots.take('a', 20, signal)).toBe(false);
    slots.release('a');
    expect(slots.taken).toBe(0);
  });

  test('is sent away at once when ten wait for each slot of the host', async () => {
    const slots = new HostSlots(100, 1);
    const stop = new AbortController();
    await slots.take('a', 0, signal);
    const waiting = Array.from({ length: 10 }, () => slots.take('a', 60_000, stop.signal));
    expect(await slots.take('a', 60_000, stop.signal)).toBe(false);
    expect(await isFree(slots, 'b')).toBe(true);
    stop.abort();
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => false));
  });

  test('waits no more when its signal aborts, and not at all once it has', async () => {
    const slots = new HostSlots(1, 1);
    const stop = new AbortController();
    await slots.take('a', 0, signal);
    const waiting = slots.take('a', 60_000, stop.signal);
    stop.abort();
    expect(await waiting).toBe(false);
    expect(await slots.take('a', 60_000, stop.signal)).toBe(false);
  });
});
