import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { JetStreamApiError, type JetStreamManager, jetstream } from '@nats-io/jetstream';
import { headers, type NatsConnection } from '@nats-io/transport-node';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { callSubject } from '../src/call/subjects.ts';
import { type CallbackTask, createCallId } from '../src/index.ts';
import { CallbackStore, Publisher, ScheduleStore } from '../src/jetstream/index.ts';
import { ensureStream, queueStreamConfig } from '../src/jetstream/layout/streams.ts';
import { OverdueSchedules } from '../src/jetstream/maintenance/overdue-schedules.ts';
import { setSchedule } from '../src/jetstream/messages/schedule.ts';
import { connected, createBroker, RecordingLogger, startServer } from './connected.ts';
import { openManager } from './harness.ts';

const storageBytes = 32 * 1024 * 1024;
const queue = 'default';
/** Long enough to fill the rest of the storage in it. */
const waitMs = 1_000;

let manager: JetStreamManager;
let connection: NatsConnection;
let publisher: Publisher;
let overdue: OverdueSchedules;

beforeEach(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-overdue-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const config = `jetstream { store_dir: ${JSON.stringify(folder)}, max_file_store: ${storageBytes} }`;
  const server = await startServer({ config });
  onTestFinished(async () => void (await server.stop()));
  const look = await openManager(server.url);
  onTestFinished(() => look[Symbol.asyncDispose]());
  ({ manager, connection } = look);
  const { broker } = createBroker(server.url);
  onTestFinished(() => broker.stop());
  publisher = new Publisher(broker);
  broker.start();
  await connected(broker);
  await ensureStream(manager, queueStreamConfig(queue, 1), new RecordingLogger());
  // Like the real one, which would need more room than there is.
  const subjects = ['callbacks.ready.>', 'callbacks.later.>'];
  await manager.streams.add({ ...queueStreamConfig(queue, 1), name: 'CALLBACKS', subjects });
  const ofExpiries = ['expiries.due.>', 'expiries.later.>'];
  await manager.streams.add({ ...queueStreamConfig(queue, 1), name: 'EXPIRIES', subjects: ofExpiries });
  await manager.streams.add({ ...queueStreamConfig(queue, 1), name: 'SCHEDULES', subjects: ['schedules.>'] });
  overdue = new OverdueSchedules(publisher, { manager, listQueues: () => Promise.resolve([queue]) });
});

const startTime = '1700000000000000000';

/** Stores a retry that is due in `ms`; returns its call id. */
async function schedule(ms: number): Promise<string> {
  const callId = createCallId();
  const of = { queue, function: 'echo', callId, startTime };
  const result = headers();
  result.set('Asyncfn-Call', `{"id":"${callId}","header":"caf\u00e9, \\"quoted\\""}`);
  result.set('Nats-Msg-Id', `${callId}:0:1`);
  setSchedule(result, callSubject({ ...of, readiness: 'ready' }), Date.now() + ms);
  const subject = callSubject({ ...of, readiness: 'later' });
  expect(await publisher.publish({ subject, headers: result, body: Buffer.from(callId) })).toMatchObject({
    kind: 'stored',
  });
  return callId;
}

const fillerBytes = 4_000_000;

/** Fills most of the storage: done before a call is scheduled, because it can take longer than the call waits. */
async function nearlyFill(): Promise<void> {
  await manager.streams.add({ name: 'FILLER', subjects: ['filler'] });
  for (let left = storageBytes; left > 2 * fillerBytes; left -= fillerBytes) {
    await jetstream(connection).publish('filler', Buffer.alloc(fillerBytes));
  }
}

/** Fills the rest of the storage; returns a function that makes room again. */
async function fill(): Promise<() => Promise<unknown>> {
  const client = jetstream(connection);
  for (;;) {
    try {
      await client.publish('filler', Buffer.alloc(fillerBytes));
    } catch (error) {
      expect(error).toBeInstanceOf(JetStreamApiError);
      return () => manager.streams.delete('FILLER');
    }
  }
}

async function subjectsOf(stream: string): Promise<string[]> {
  const { state } = await manager.streams.info(stream, { subjects_filter: '>' });
  return Object.keys(state.subjects ?? {}).toSorted();
}

/** Resolves when the server has tried messages that came due after `waitMs`: it looks four times a second. */
async function chanceIsOver(): Promise<void> {
  const over = Date.now() + waitMs + 1_000;
  await eventually(() => Date.now() > over);
}

/** A time at which a schedule of a moment ago has been overdue for long. */
const muchLater = (): number => Date.now() + 60_000;

test('a retry that came due while there was no room becomes ready when there is room again, as it was', async () => {
  await nearlyFill();
  const forgotten = await schedule(waitMs);
  const makeRoom = await fill();
  await chanceIsOver();
  expect(await overdue.restore(muchLater())).toBe(0);
  await makeRoom();
  expect(await overdue.restore(muchLater())).toBe(1);
  const ready = callSubject({ queue, readiness: 'ready', function: 'echo', callId: forgotten, startTime });
  await eventually(async () => (await subjectsOf('CALLS_default')).join() === ready);
  const message = await manager.streams.getMessage('CALLS_default', { last_by_subj: ready });
  expect(Buffer.from(message?.data ?? []).toString()).toBe(forgotten);
  expect(message?.header.get('Asyncfn-Call')).toBe(`{"id":"${forgotten}","header":"caf\u00e9, \\"quoted\\""}`);
});

test('a callback that came due while there was no room does too', async () => {
  const task: CallbackTask = {
    v: 1,
    callId: createCallId(),
    generation: 0,
    function: 'echo',
    queue,
    url: 'http://receiver.test',
    functionStatus: 200,
    durationMs: 1,
    startTime,
    retry: 0,
    maxRetries: 10,
    headers: [],
    tries: 1,
  };
  await nearlyFill();
  await new CallbackStore(publisher, { manager }).store(task, Buffer.from('result'), Date.now() + waitMs, 0);
  const makeRoom = await fill();
  await chanceIsOver();
  await makeRoom();
  expect(await overdue.restore(muchLater())).toBe(1);
  await eventually(
    async () => (await subjectsOf('CALLBACKS')).join() === `callbacks.ready.${task.callId}.~.${startTime}.0`,
  );
});

test('the moment of a schedule does too, even if the schedule has changed since', async () => {
  const store = new ScheduleStore(publisher, { manager });
  const settings = { function: 'echo', every: '1m' };
  const template = { path: '', query: '', headers: [] };
  const entry = { name: 'tick', source: 'api', paused: false, createdAt: 0, series: 's', settings, template } as const;
  await nearlyFill();
  const moment = { v: 1, name: 'tick', series: 's', at: 60_000 } as const;
  await store.put(entry, 0, { moment, dueAt: Date.now() + waitMs });
  const makeRoom = await fill();
  await chanceIsOver();
  await makeRoom();
  const { revision } = (await store.read('tick'))!;
  expect(await store.put({ ...entry, createdAt: 1 }, revision, undefined)).toMatchObject({ kind: 'stored' });
  expect(await overdue.restore(muchLater())).toBe(1);
  await eventually(
    async () => (await subjectsOf('SCHEDULES')).join() === 'schedules.definition.tick,schedules.due.tick',
  );
});

test('the clock of the server decides what is overdue, not ours', async () => {
  await schedule(60_000);
  const info: { readonly ts?: string } = await manager.streams.info('CALLBACKS');
  expect(Math.abs(Date.parse(info.ts ?? '') - Date.now())).toBeLessThan(60_000);
  vi.useFakeTimers({ toFake: ['Date'], now: muchLater() });
  onTestFinished(() => void vi.useRealTimers());
  expect(await overdue.restore()).toBe(0);
});

test('schedules in time are left alone, even if they are a little late', async () => {
  const callIds = [await schedule(60_000), await schedule(60_000)];
  expect(await overdue.restore(Date.now())).toBe(0);
  expect(await overdue.restore(Date.now() + 60_000 + 9_000)).toBe(0);
  const later = callIds.map((callId) =>
    callSubject({ queue, readiness: 'later', function: 'echo', callId, startTime }),
  );
  expect(await subjectsOf('CALLS_default')).toEqual(later.toSorted());
  const { state } = await manager.streams.info('CALLS_default');
  expect(state.last_seq).toBe(2);
});

test('a schedule that two processes find overdue becomes ready once', async () => {
  await nearlyFill();
  const callId = await schedule(waitMs);
  const makeRoom = await fill();
  await chanceIsOver();
  await makeRoom();
  const counts = await Promise.all([1, 2, 3].map(() => overdue.restore(muchLater())));
  const ready = callSubject({ queue, readiness: 'ready', function: 'echo', callId, startTime });
  await eventually(async () => (await subjectsOf('CALLS_default')).join() === ready);
  expect(counts.reduce((sum, each) => sum + each, 0)).toBeGreaterThanOrEqual(1);
  const { state } = await manager.streams.info('CALLS_default', { subjects_filter: ready });
  expect(state.subjects).toEqual({ [ready]: 1 });
});
