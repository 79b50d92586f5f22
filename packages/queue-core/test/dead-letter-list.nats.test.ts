import { randomBytes } from 'node:crypto';
import { headers } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { maxScanned } from '../src/jetstream/dead-letters/dead-letter-scan.ts';
import { bury, buryCallback, createCall, type DeadLetters, letterOf, openDeadLetters } from './dead-letter-fixture.ts';

/** Reads all pages; `between` runs after each. */
async function listAll(
  { store, queue }: DeadLetters,
  limit: number,
  between: () => Promise<unknown> = async () => undefined,
): Promise<string[]> {
  const ids: string[] = [];
  for (let from: number | undefined = 1; from !== undefined; ) {
    const page = await store.list({ queue }, { limit, from });
    expect(page.entries.length).toBeLessThanOrEqual(limit);
    ids.push(...page.entries.map(({ callId }) => callId));
    await between();
    from = page.next;
  }
  return ids;
}

async function buryMany(letters: DeadLetters, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (let n = 0; n < count; n++) {
    ids.push((await bury(letters, createCall(letters))).id);
  }
  return ids;
}

/** Those of this test's queue. */
async function consumersOf({ manager, queue }: DeadLetters): Promise<string[]> {
  const found: string[] = [];
  for await (const { name, config } of manager.consumers.list('DEAD_LETTERS')) {
    if (config.filter_subject?.includes(queue)) {
      found.push(name);
    }
  }
  return found;
}

describe('a list of dead letters', () => {
  test('shows the facts of each, and the length of its body, oldest first', async () => {
    await using letters = await openDeadLetters();
    const first = await bury(letters, createCall(letters));
    const second = createCall(letters, { body: randomBytes(5_000) });
    const fields = { reason: 'expired', attempts: 0, endedAt: Date.now() } as const;
    await bury(letters, second, fields);
    const sequence = expect.any(Number);
    expect(await letters.store.list({ queue: letters.queue }, { limit: 10 })).toEqual({
      entries: [
        { ...letterOf(first), endedAt: expect.any(Number), sequence, bytes: 100 },
        { ...letterOf(second, fields), sequence, bytes: 5_000 },
      ],
      next: undefined,
    });
  });

  test('is filtered by function, queue, kind and reason', async () => {
    await using letters = await openDeadLetters();
    const { store, queue, name } = letters;
    const plain = await bury(letters, createCall(letters));
    const spaced = await bury(letters, createCall({ queue, name: `${name}.prod` }), { reason: 'rejected' });
    const other = await bury(letters, createCall({ queue, name: `other-${name}` }));
    const callback = await buryCallback(letters, other, randomBytes(10));
    const ids = async (query: object) =>
      (await store.list(query, { limit: 10 })).entries.map(({ callId, kind }) => `${kind} ${callId}`);
    expect(await ids({ function: name })).toEqual([`call ${plain.id}`]);
    expect(await ids({ function: `${name}.prod` })).toEqual([`call ${spaced.id}`]);
    expect(await ids({ queue, kind: 'callback' })).toEqual([`callback ${callback.callId}`]);
    expect(await ids({ queue, reason: 'rejected' })).toEqual([`call ${spaced.id}`]);
    expect(await ids({ queue, function: name, reason: 'rejected' })).toEqual([]);
    expect(await ids({ queue })).toHaveLength(4);
    expect(await ids({ queue: `${queue}-none` })).toEqual([]);
  });

  test('does not wait if fewer exist than were requested, and leaves no consumer behind', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    await buryMany(letters, 3);
    const began = performance.now();
    for (let n = 0; n < 10; n++) {
      expect((await store.list({ queue }, { limit: 1_000 })).entries).toHaveLength(3);
      expect((await store.list({ queue: `${queue}-none` }, { limit: 1_000 })).entries).toEqual([]);
    }
    // A request that waits for more takes 5 s.
    expect(performance.now() - began).toBeLessThan(30_000);
    expect(await consumersOf(letters)).toEqual([]);
  });

  test('shows each once over its pages', async () => {
    await using letters = await openDeadLetters();
    const ids = await buryMany(letters, 25);
    expect(await listAll(letters, 10)).toEqual(ids);
    expect(await listAll(letters, 5)).toEqual(ids);
    expect(await listAll(letters, 25)).toEqual(ids);
  });

  test('shows each that existed all the time once, in order, while others come and go', async () => {
    await using letters = await openDeadLetters();
    const { store } = letters;
    const ids = await buryMany(letters, 60);
    const removed = new Set<string>();
    const came: string[] = [];
    const disturb = async () => {
      came.push(...(await buryMany(letters, 2)));
      // One that was shown, and two that were not.
      for (const id of [ids[came.length - 1]!, ids[20 + came.length]!, ids.at(-came.length)!]) {
        removed.add(id);
        await store.remove({ callId: id });
      }
    };
    const shown = await listAll(letters, 5, disturb);
    expect(new Set(shown).size).toBe(shown.length);
    const stayed = ids.filter((id) => !removed.has(id));
    expect(shown.filter((id) => !removed.has(id) && !came.includes(id))).toEqual(stayed);
    expect(shown.filter((id) => came.includes(id))).toEqual(
      came.slice(0, shown.filter((id) => came.includes(id)).length),
    );
  });

  test('is right while many come and go at the same time', async () => {
    await using letters = await openDeadLetters();
    const { store } = letters;
    const ids = await buryMany(letters, 300);
    const gone = ids.filter((_, index) => index % 3 === 1);
    const clearing = (async () => {
      for (const id of gone) {
        await store.remove({ callId: id });
      }
    })();
    const adding = buryMany(letters, 100);
    const shown = await listAll(letters, 7);
    await Promise.all([clearing, adding]);
    expect(new Set(shown).size).toBe(shown.length);
    const stayed = ids.filter((id) => !gone.includes(id));
    expect(shown.filter((id) => stayed.includes(id))).toEqual(stayed);
  });

  test('passes over messages that are not dead letters, or claim another identity', async () => {
    await using letters = await openDeadLetters();
    const { publisher, queue, name, store } = letters;
    const call = createCall(letters);
    const claims = [
      'nonsense',
      '{}',
      JSON.stringify(letterOf({ ...call, id: 'a.b' })),
      JSON.stringify(letterOf({ ...call, queue: 'a.>' })),
      JSON.stringify(letterOf(createCall(letters))),
      JSON.stringify(letterOf({ ...call, id: 'claim-5' }, { createdAt: 1e300 })),
    ];
    for (const [n, claim] of claims.entries()) {
      const record = headers();
      record.set('Asyncfn-Dead-Letter', claim);
      const subject = `dead.call.${queue}.~.${name}.claim-${n}.~.${call.startTime}`;
      expect(await publisher.publish({ subject, headers: record, body: call.body })).toMatchObject({ kind: 'stored' });
      expect(await store.find({ callId: `claim-${n}` })).toEqual([]);
    }
    const real = await bury(letters, call);
    expect(await listAll(letters, 2)).toEqual([real.id]);
    expect(await store.remove({ callId: 'claim-0' })).toBe(true);
  });

  test('of a rare reason reads a limited number at most, and tells where to continue', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    for (let left = maxScanned + 10; left > 0; left -= 5_000) {
      const calls = Array.from({ length: Math.min(left, 5_000) }, () => createCall(letters));
      await Promise.all(calls.map((call) => bury(letters, call)));
    }
    const last = await bury(letters, createCall(letters), { reason: 'worker_crash' });
    const query = { queue, reason: 'worker_crash' } as const;
    const first = await store.list(query, { limit: 10 });
    expect(first).toEqual({ entries: [], next: expect.any(Number) });
    const second = await store.list(query, { limit: 10, from: first.next });
    expect(second).toMatchObject({ entries: [{ callId: last.id }], next: undefined });
  });

  test('refuses names that could reach beyond their place in a subject', async () => {
    await using letters = await openDeadLetters();
    for (const query of [{ queue: '>' }, { queue: 'a.b' }, { function: '*' }, { function: 'a.b.c' }]) {
      await expect(letters.store.list(query, { limit: 1 })).rejects.toThrow(TypeError);
    }
    await expect(letters.store.find({ callId: 'a.b' })).rejects.toThrow(TypeError);
    await expect(letters.store.remove({ callId: '*' })).rejects.toThrow(TypeError);
  });
});

describe('one dead letter', () => {
  test('is found whole by its call id', async () => {
    await using letters = await openDeadLetters();
    const call = await bury(letters, createCall(letters, { body: randomBytes(700_000) }));
    const [found, ...others] = await letters.store.find({ callId: call.id });
    expect(others).toEqual([]);
    expect(found?.letter).toMatchObject({ callId: call.id, reason: 'retries_exhausted', attempts: 4 });
    expect(Buffer.from(found!.body).equals(call.body)).toBe(true);
  });

  test('both of a call and of its callback is found, and the newer one of each', async () => {
    await using letters = await openDeadLetters();
    const call = await bury(letters, createCall(letters));
    await bury(letters, { ...call, generation: 1 }, { reason: 'rejected' });
    await buryCallback(letters, call, randomBytes(10));
    const found = await letters.store.find({ callId: call.id });
    expect(found.map(({ letter }) => [letter.kind, letter.reason])).toEqual([
      ['call', 'rejected'],
      ['callback', 'callback_undeliverable'],
    ]);
    expect(await letters.store.find({ callId: call.id }, 'callback')).toHaveLength(1);
  });

  test('is removed by its call id, alone', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const call = await bury(letters, createCall(letters));
    const other = await bury(letters, createCall(letters));
    await buryCallback(letters, call, randomBytes(10));
    expect(await store.remove({ callId: call.id }, 'callback')).toBe(true);
    expect(await store.remove({ callId: call.id }, 'callback')).toBe(false);
    expect(await store.remove({ callId: call.id })).toBe(true);
    expect(await store.remove({ callId: call.id })).toBe(false);
    const { entries } = await store.list({ queue }, { limit: 10 });
    expect(entries.map(({ callId }) => callId)).toEqual([other.id]);
  });
});
