import { randomBytes } from 'node:crypto';
import { eventually, quickest } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { callHeader } from '../src/call/codec.ts';
import { FunctionRegister } from '../src/functions/index.ts';
import { type Call, type CallbackTask, callbackTaskCodec, keyOf } from '../src/index.ts';
import { CallQueue } from '../src/jetstream/index.ts';
import { startServer, uniqueQueue } from './connected.ts';
import {
  bury,
  buryCallback,
  createCall,
  type DeadLetters,
  letterOf,
  openDeadLetters,
  outcomeOf,
  queuedCalls,
  registerOf,
} from './dead-letter-fixture.ts';

/** Puts a call into its queue as a gateway does. */
async function enqueue(letters: DeadLetters, call: Call): Promise<void> {
  const { broker, topology, publisher } = letters;
  const queue = new CallQueue({ broker, topology, publisher, register: new FunctionRegister() });
  expect(await queue.accept(call, { unique: true })).toMatchObject({ kind: 'stored' });
}

async function lettersLeft({ store, queue }: DeadLetters): Promise<number> {
  return (await store.list({ queue }, { limit: 1_000 })).entries.length;
}

/** Stored callbacks under a call id. */
async function storedCallbacks(
  letters: DeadLetters,
  callId: string,
): Promise<readonly (CallbackTask & { body: string })[]> {
  // The broker may move a message that is due between a look at the subjects and one at the message.
  let found: Awaited<ReturnType<typeof readCallbacks>>;
  await eventually(async () => {
    found = await readCallbacks(letters, callId);
    return found !== undefined;
  });
  return found ?? [];
}

/** Undefined if a message has moved in the meantime. */
async function readCallbacks({ manager }: DeadLetters, callId: string) {
  const found: (CallbackTask & { body: string })[] = [];
  const { state } = await manager.streams.info('CALLBACKS', { subjects_filter: `callbacks.*.${callId}.>` });
  for (const subject of Object.keys(state.subjects ?? {})) {
    const message = await manager.streams.getMessage('CALLBACKS', { last_by_subj: subject });
    if (message === null) {
      return undefined;
    }
    const task = callbackTaskCodec.decode(message.header.get(callbackTaskCodec.header) ?? '');
    if (task) {
      found.push({ ...task, body: Buffer.from(message.data).toString('latin1') });
    }
  }
  return found;
}

/** Resolves once the broker has put a callback where workers take it from. */
async function untilDue({ manager }: DeadLetters, callId: string): Promise<void> {
  const ready = `callbacks.ready.${callId}.>`;
  await eventually(async () => {
    const { state } = await manager.streams.info('CALLBACKS', { subjects_filter: ready });
    return Object.keys(state.subjects ?? {}).length === 1;
  });
}

describe('a replay of a call', () => {
  test('puts it back into its queue as it was accepted, with a fresh budget, and removes the dead letter', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const {
      startedAt: _,
      body,
      ...accepted
    } = await bury(letters, createCall(letters, { body: randomBytes(500_000) }));
    const result = await store.replay({ callId: accepted.id }, registerOf(letters));
    expect(result).toEqual({ kind: 'replayed', queue });
    const queued = await queuedCalls(letters, queue);
    expect(queued).toMatchObject([{ ...accepted, retry: 0, generation: 1 }]);
    expect(queued[0]).not.toHaveProperty('startedAt');
    expect(Buffer.from(queued[0]!.body).equals(body)).toBe(true);
    expect(await store.find({ callId: accepted.id })).toEqual([]);
  });

  test('ensures the consumer of the function', async () => {
    await using letters = await openDeadLetters();
    const call = await bury(letters, createCall(letters));
    expect(await letters.topology.listLanes(letters.queue)).toEqual([]);
    await letters.store.replay({ callId: call.id }, registerOf(letters));
    const lanes = await letters.topology.listLanes(letters.queue);
    expect(lanes).toMatchObject([{ function: letters.name, pending: 1, inFlight: 0 }]);
  });

  test('counts the replays of a call that fails again and again', async () => {
    await using letters = await openDeadLetters();
    const { store, queue, manager } = letters;
    let call = createCall(letters);
    for (let generation = 1; generation <= 3; generation++) {
      await bury(letters, call);
      expect(await store.replay({ callId: call.id }, registerOf(letters))).toMatchObject({ kind: 'replayed' });
      [call] = (await queuedCalls(letters, queue)) as [Call];
      expect(call).toMatchObject({ generation, retry: 0 });
      await letters.calls.recordOutcome(outcomeOf(call, { status: 'failed' }), call.body);
      await manager.streams.purge(`CALLS_${queue}`);
    }
  });

  test("goes to the function's current queue", async () => {
    await using letters = await openDeadLetters();
    const moved = uniqueQueue();
    const call = await bury(letters, createCall(letters));
    const result = await letters.store.replay({ callId: call.id }, registerOf({ ...letters, queue: moved }));
    expect(result).toEqual({ kind: 'replayed', queue: moved });
    expect(await queuedCalls(letters, letters.queue)).toEqual([]);
    expect(await queuedCalls(letters, moved)).toMatchObject([{ id: call.id, queue: moved, generation: 1 }]);
    expect(await letters.topology.listLanes(moved)).toMatchObject([{ function: letters.name, pending: 1 }]);
  });

  test('from several gateways at once enqueues once', async () => {
    await using letters = await openDeadLetters();
    await using second = await openDeadLetters({ queue: letters.queue });
    for (let n = 0; n < 20; n++) {
      const call = await bury(letters, createCall(letters));
      const results = await Promise.all(
        [letters, second, letters, second].map(({ store }) => store.replay({ callId: call.id }, registerOf(letters))),
      );
      expect(results.filter(({ kind }) => kind === 'replayed').length).toBeGreaterThan(0);
      for (const result of results.filter(({ kind }) => kind !== 'replayed')) {
        expect(result).toEqual({ kind: 'kept', refusal: 'dead_letter_not_found' });
      }
      const calls = await queuedCalls(letters, letters.queue);
      expect(calls.filter(({ id }) => id === call.id)).toHaveLength(1);
      expect(await letters.store.find({ callId: call.id })).toEqual([]);
    }
  });

  test.each([
    ['is in the queue', false],
    ['is in the queue that the function had then', true],
  ])(
    'that was stored before without being confirmed, and %s, is completed by removing the dead letter',
    async (_, moves) => {
      await using letters = await openDeadLetters();
      const { store, queue } = letters;
      const buried = await bury(letters, createCall(letters));
      await enqueue(letters, { ...buried, generation: 1, retry: 2 });
      const now = moves ? uniqueQueue() : queue;
      expect(await store.replay({ callId: buried.id }, registerOf({ ...letters, queue: now }))).toEqual({
        kind: 'replayed',
        queue,
      });
      expect(await queuedCalls(letters, queue)).toHaveLength(1);
      expect(await store.find({ callId: buried.id })).toEqual([]);
    },
  );

  test('whose call has ended before says so, and the left-over dead letter is removed', async () => {
    await using letters = await openDeadLetters();
    const { store, queue, calls } = letters;
    const buried = await bury(letters, createCall(letters));
    await calls.recordOutcome(outcomeOf({ ...buried, generation: 1 }), randomBytes(5));
    const result = await store.replay({ callId: buried.id }, registerOf(letters));
    expect(result).toEqual({ kind: 'kept', refusal: 'already_replayed' });
    expect(await queuedCalls(letters, queue)).toEqual([]);
    expect(await store.find({ callId: buried.id })).toEqual([]);
  });

  test('waits for the worker that still has to ack the failed call', async () => {
    await using letters = await openDeadLetters();
    const { store, queue, manager } = letters;
    const call = createCall(letters);
    await enqueue(letters, call);
    await bury(letters, call);
    const replay = store.replay({ callId: call.id }, registerOf(letters));
    const stream = `CALLS_${queue}`;
    await eventually(async () => (await manager.streams.info(stream)).state.messages === 1);
    await manager.streams.purge(stream);
    expect(await replay).toMatchObject({ kind: 'replayed' });
    expect(await queuedCalls(letters, queue)).toMatchObject([{ id: call.id, generation: 1 }]);
  });

  test('is refused while the failed call stays in its queue, and the dead letter kept', async () => {
    await using letters = await openDeadLetters();
    const call = createCall(letters);
    await enqueue(letters, call);
    await bury(letters, call);
    const refused = { kind: 'kept', refusal: 'call_id_conflict' };
    expect(await letters.store.replay({ callId: call.id }, registerOf(letters))).toEqual(refused);
    expect(await lettersLeft(letters)).toBe(1);
  });

  test('is refused at once while another call of its id is active, and removes nothing of that one when it has ended', async () => {
    await using letters = await openDeadLetters();
    const { store, calls, manager, queue } = letters;
    const call = await bury(letters, createCall(letters));
    const other = createCall(letters, { id: call.id, startTime: `${BigInt(call.startTime) + 1n}`, generation: 1 });
    const refused = { kind: 'kept', refusal: 'call_id_conflict' };
    await enqueue(letters, other);
    // A wait for the other one would take a second.
    const took = await quickest(async () => {
      expect(await store.replay({ callId: call.id }, registerOf(letters))).toEqual(refused);
    });
    expect(took).toBeLessThan(900);
    await manager.streams.purge(`CALLS_${queue}`);
    expect(await lettersLeft(letters)).toBe(1);
    await calls.recordOutcome(outcomeOf(other), randomBytes(5));
    expect(await store.replay({ callId: call.id }, registerOf(letters))).toMatchObject({ kind: 'replayed' });
    expect(await queuedCalls(letters, queue)).toMatchObject([{ startTime: call.startTime, generation: 1 }]);
  });

  test('of a function that is not registered is refused, and the dead letter kept', async () => {
    await using letters = await openDeadLetters();
    const call = await bury(letters, createCall(letters));
    expect(await letters.store.replay({ callId: call.id }, () => undefined)).toEqual({
      kind: 'kept',
      refusal: 'unknown_function',
    });
    expect(await lettersLeft(letters)).toBe(1);
  });

  test('of a message that cannot be read is refused, and the dead letter kept', async () => {
    await using letters = await openDeadLetters();
    const { store, calls } = letters;
    const { id, body, ...call } = createCall(letters);
    for (const value of ['', 'nonsense', JSON.stringify({ v: 1, id: 'another', ...call })]) {
      const letter = letterOf({ id, body, ...call }, { reason: 'undecodable' });
      await calls.putDeadLetter(letter, { header: callHeader, value, body });
      expect(await store.replay({ callId: id }, registerOf(letters))).toEqual({
        kind: 'kept',
        refusal: 'not_replayable',
      });
      expect(await lettersLeft(letters)).toBe(1);
    }
  });

  test('of a dead letter that does not exist says so', async () => {
    await using letters = await openDeadLetters();
    const missing = { kind: 'kept', refusal: 'dead_letter_not_found' };
    expect(await letters.store.replay({ callId: 'unknown' }, registerOf(letters))).toEqual(missing);
  });

  test('without the broker is refused, loses nothing, and can be repeated', async () => {
    await using server = await startServer();
    await using letters = await openDeadLetters({ natsUrl: server.url });
    const { store, queue } = letters;
    const call = await bury(letters, createCall(letters));
    await server.pause();
    const refused = { kind: 'refused', reason: expect.stringMatching(/^(unavailable|timeout)$/) };
    const one = store.replay({ callId: call.id }, registerOf(letters));
    const many = store.replayMany({ queue }, { limit: 10 }, registerOf(letters));
    expect(await one).toMatchObject(refused);
    expect(await many).toMatchObject(refused);
    server.signal('SIGCONT');
    await server.restart({ signal: 'SIGKILL' });
    await eventually(() => store.available);
    expect(await store.replay({ callId: call.id }, registerOf(letters))).toMatchObject({ kind: 'replayed' });
    expect(await queuedCalls(letters, queue)).toMatchObject([{ id: call.id, generation: 1 }]);
    expect(await lettersLeft(letters)).toBe(0);
  });
});

describe('a replay of a callback', () => {
  test('puts it back on its way at once, as if it had never been tried', async () => {
    await using letters = await openDeadLetters();
    const call = createCall(letters);
    const task = await buryCallback(letters, call, Buffer.from('result'));
    const result = await letters.store.replay({ callId: call.id }, () => undefined);
    expect(result).toEqual({ kind: 'replayed', queue: undefined });
    expect(await storedCallbacks(letters, call.id)).toEqual([{ ...task, tries: 0, body: 'result' }]);
    expect(await letters.store.find({ callId: call.id })).toEqual([]);
    await untilDue(letters, call.id);
  });

  test('from several gateways at once stores it once', async () => {
    await using letters = await openDeadLetters();
    await using second = await openDeadLetters({ queue: letters.queue });
    const call = createCall(letters);
    await buryCallback(letters, call, Buffer.from('result'));
    await Promise.all(
      [letters, second, letters, second].map((of) => of.store.replay({ callId: call.id }, () => undefined)),
    );
    expect(await storedCallbacks(letters, call.id)).toHaveLength(1);
    expect(await letters.store.find({ callId: call.id })).toEqual([]);
  });

  test('leaves the call of the same id alone unless that is a dead letter too, which goes first', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const call = await bury(letters, createCall(letters));
    await buryCallback(letters, call, Buffer.from('result'));
    expect(await store.replay({ callId: call.id }, registerOf(letters), 'callback')).toMatchObject({
      kind: 'replayed',
    });
    expect(await queuedCalls(letters, queue)).toEqual([]);
    expect(await store.replay({ callId: call.id }, registerOf(letters))).toEqual({ kind: 'replayed', queue });
    expect(await lettersLeft(letters)).toBe(0);
  });

  test('that has been delivered since says so, and the left-over dead letter is removed', async () => {
    await using letters = await openDeadLetters();
    const { store, calls } = letters;
    const call = createCall(letters);
    await buryCallback(letters, call, Buffer.from('result'));
    await calls.recordOutcome(outcomeOf(call), randomBytes(5));
    await calls.recordCallbackState(keyOf(call), { v: 1, status: 'delivered', attempts: 2 });
    const done = { kind: 'kept', refusal: 'already_replayed' };
    expect(await store.replay({ callId: call.id }, () => undefined)).toEqual(done);
    expect(await storedCallbacks(letters, call.id)).toEqual([]);
    expect(await store.find({ callId: call.id })).toEqual([]);
  });

  test('does not confuse the last delivery, still with its worker, with the replay', async () => {
    await using letters = await openDeadLetters();
    const { manager, store } = letters;
    const call = createCall(letters);
    await buryCallback(letters, call, Buffer.from('result'));
    await store.replay({ callId: call.id }, () => undefined);
    await untilDue(letters, call.id);
    // It was replayed before and refused for good at the first try: its message still exists.
    await buryCallback(letters, call, Buffer.from('result'));
    const conflict = { kind: 'kept', refusal: 'call_id_conflict' };
    expect(await store.replay({ callId: call.id }, () => undefined)).toEqual(conflict);
    expect(await lettersLeft(letters)).toBe(1);
    const replay = store.replay({ callId: call.id }, () => undefined);
    await manager.streams.purge('CALLBACKS', { filter: `callbacks.*.${call.id}.>` });
    expect(await replay).toMatchObject({ kind: 'replayed' });
    expect(await storedCallbacks(letters, call.id)).toHaveLength(1);
  });

  test('of a message that cannot be read is refused, and the dead letter kept', async () => {
    await using letters = await openDeadLetters();
    const call = createCall(letters);
    const letter = letterOf(call, { kind: 'callback', reason: 'callback_undeliverable' });
    await letters.calls.putDeadLetter(letter, { header: callbackTaskCodec.header, value: '{}', body: call.body });
    const refused = { kind: 'kept', refusal: 'not_replayable' };
    expect(await letters.store.replay({ callId: call.id }, () => undefined)).toEqual(refused);
    expect(await lettersLeft(letters)).toBe(1);
  });
});

describe('a bulk replay', () => {
  async function buryAll(letters: DeadLetters, count: number): Promise<Call[]> {
    const calls = Array.from({ length: count }, () => createCall(letters));
    return Promise.all(calls.map((call) => bury(letters, call)));
  }

  test('of 500 puts each back once', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const calls = await buryAll(letters, 500);
    const result = await store.replayMany({ queue }, { limit: 1_000 }, registerOf(letters));
    expect(result).toEqual({ kind: 'done', replayed: 500, skipped: 0, refusals: {}, next: undefined });
    const queued = await queuedCalls(letters, queue);
    expect(new Set(queued.map(({ id }) => id))).toEqual(new Set(calls.map(({ id }) => id)));
    expect(queued).toHaveLength(500);
    expect(await lettersLeft(letters)).toBe(0);
  });

  test('from two gateways at once puts each back once', async () => {
    await using letters = await openDeadLetters();
    await using second = await openDeadLetters({ queue: letters.queue });
    await buryAll(letters, 200);
    const results = await Promise.all(
      [letters, second].map((of) =>
        of.store.replayMany({ queue: letters.queue }, { limit: 1_000 }, registerOf(letters)),
      ),
    );
    expect(results.map(({ kind }) => kind)).toEqual(['done', 'done']);
    expect(await queuedCalls(letters, letters.queue)).toHaveLength(200);
    expect(await lettersLeft(letters)).toBe(0);
  });

  test('takes up to its limit, the oldest first, and tells where to continue', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const ids = [];
    for (let n = 0; n < 5; n++) {
      ids.push((await bury(letters, createCall(letters))).id);
    }
    const first = await store.replayMany({ queue }, { limit: 3 }, registerOf(letters));
    expect(first).toMatchObject({ kind: 'done', replayed: 3, skipped: 0, next: expect.any(Number) });
    const queued = await queuedCalls(letters, queue);
    expect(new Set(queued.map(({ id }) => id))).toEqual(new Set(ids.slice(0, 3)));
    const from = first.kind === 'done' ? first.next : undefined;
    const second = await store.replayMany({ queue }, { limit: 3, from }, registerOf(letters));
    expect(second).toMatchObject({ kind: 'done', replayed: 2, next: undefined });
  });

  test('passes over those that cannot be replayed, and counts the reasons', async () => {
    await using letters = await openDeadLetters();
    const { store, queue, calls } = letters;
    const [good] = await buryAll(letters, 1);
    const unknown = createCall({ queue, name: 'unknown' });
    await bury(letters, unknown);
    await bury(letters, createCall({ queue, name: 'unknown' }));
    const broken = createCall(letters);
    await calls.putDeadLetter(letterOf(broken, { reason: 'undecodable' }), {
      header: callHeader,
      value: '',
      body: broken.body,
    });
    expect(await store.replayMany({ queue }, { limit: 10 }, registerOf(letters))).toEqual({
      kind: 'done',
      replayed: 1,
      skipped: 3,
      refusals: { unknown_function: 2, not_replayable: 1 },
      next: undefined,
    });
    expect(await queuedCalls(letters, queue)).toMatchObject([{ id: good!.id }]);
    expect(await lettersLeft(letters)).toBe(3);
  });

  test('takes only what its filter names, callbacks included', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    const rejected = await bury(letters, createCall(letters), { reason: 'rejected' });
    await bury(letters, createCall(letters));
    const callback = await buryCallback(letters, createCall(letters), Buffer.from('result'));
    const query = { queue, reason: 'rejected' } as const;
    const rejectedOnly = await store.replayMany(query, { limit: 10 }, registerOf(letters));
    expect(rejectedOnly).toMatchObject({ replayed: 1, skipped: 0 });
    expect(await queuedCalls(letters, queue)).toMatchObject([{ id: rejected.id }]);
    const callbacks = await store.replayMany({ queue, kind: 'callback' }, { limit: 10 }, registerOf(letters));
    expect(callbacks).toMatchObject({ replayed: 1, skipped: 0 });
    expect(await storedCallbacks(letters, callback.callId)).toHaveLength(1);
    expect(await lettersLeft(letters)).toBe(1);
  });

  test('does not pick up calls that fail again at once', async () => {
    await using letters = await openDeadLetters();
    const { store, queue } = letters;
    await buryAll(letters, 20);
    let failedAgain = 0;
    const failing = (name: string) => {
      failedAgain += 1;
      void bury(letters, createCall(letters));
      return registerOf(letters)(name);
    };
    const result = await store.replayMany({ queue }, { limit: 1_000 }, failing);
    expect(result).toMatchObject({ kind: 'done', replayed: 20, next: undefined });
    expect(failedAgain).toBe(20);
    await eventually(async () => (await lettersLeft(letters)) === 20);
  });
});
