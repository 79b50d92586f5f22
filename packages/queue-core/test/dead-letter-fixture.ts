import { randomBytes } from 'node:crypto';
import { eventually } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { inject } from 'vitest';
import { callHeader } from '../src/call/codec.ts';
import { type FunctionConfig, FunctionRegister } from '../src/functions/index.ts';
import {
  type Call,
  type CallbackTask,
  callbackTaskCodec,
  createCallId,
  type DeadLetter,
  decodeCall,
  encodeEnvelope,
  keyOf,
  type Outcome,
} from '../src/index.ts';
import { CallbackStore, CallStore, DeadLetterStore, Publisher, QueueTopology } from '../src/jetstream/index.ts';
import { createBroker, uniqueQueue } from './connected.ts';

/** A process's view of the dead letters, with a queue and a function of the test's own. */
export async function openDeadLetters({ natsUrl = inject('natsUrl'), queue = uniqueQueue() } = {}) {
  const test = createBroker(natsUrl);
  const { broker, logger, fatal } = test;
  const topology = new QueueTopology(broker, {
    replicas: 1,
    ackWaitMs: 30_000,
    readWaitMs: 120_000,
    ownsLanes: false,
    queues: () => [queue],
    logger,
    onFatal: (error) => fatal.push(error),
  });
  const publisher = new Publisher(broker, { timeoutMs: 30_000 });
  const calls = new CallStore(publisher, topology);
  const callbacks = new CallbackStore(publisher, topology);
  const store = new DeadLetterStore({ broker, topology, publisher, calls, callbacks });
  broker.start();
  await eventually(() => topology.ready);
  const manager = await jetstreamManager(broker.connection!);
  return { ...test, queue, name: `fn-${queue}`, topology, publisher, calls, callbacks, store, manager };
}

export type DeadLetters = Awaited<ReturnType<typeof openDeadLetters>>;

export function createCall({ queue, name }: { queue: string; name: string }, fields: Partial<Call> = {}): Call {
  return {
    id: createCallId(),
    function: name,
    queue,
    path: '/a//%2F',
    query: 'b=%00',
    headers: [
      ['X-Bytes', '\xe9\xff'],
      ['x-bytes', ''],
    ],
    callbackUrl: 'http://user:secret@receiver.test/done?token=secret',
    startTime: `${Date.now()}${String(Math.floor(Math.random() * 1e6)).padStart(6, '0')}`,
    retry: 3,
    maxRetries: 3,
    timeoutMs: 60_000,
    startedAt: Date.now(),
    body: randomBytes(100),
    ...fields,
  };
}

export function letterOf(call: Call, fields: Partial<DeadLetter> = {}): DeadLetter {
  return {
    v: 1,
    kind: 'call',
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    reason: 'retries_exhausted',
    lastStatus: 500,
    attempts: call.retry + 1,
    createdAt: Math.floor(Number(call.startTime) / 1e6),
    endedAt: Date.now(),
    ...fields,
  };
}

/** Buries a call like a worker; returns it. */
export async function bury(
  { calls }: Pick<DeadLetters, 'calls'>,
  call: Call,
  fields: Partial<DeadLetter> = {},
): Promise<Call> {
  const original = { header: callHeader, value: encodeEnvelope(call), body: call.body };
  await putDeadLetter(calls, letterOf(call, fields), original);
  return call;
}

async function putDeadLetter(calls: CallStore, ...how: Parameters<CallStore['putDeadLetter']>): Promise<void> {
  const result = await calls.putDeadLetter(...how);
  if (result.kind === 'refused') {
    throw new Error(result.detail);
  }
}

export function createTask(call: Call, fields: Partial<CallbackTask> = {}): CallbackTask {
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    url: 'http://receiver.test/done',
    functionStatus: 200,
    durationMs: 5,
    retry: 0,
    maxRetries: 3,
    headers: [['X-Result', '\xe9']],
    tries: 8,
    ...fields,
  };
}

/** Buries the callback of a call; returns it. */
export async function buryCallback(
  { calls }: Pick<DeadLetters, 'calls'>,
  call: Call,
  body: Uint8Array,
): Promise<CallbackTask> {
  const task = createTask(call);
  const letter = letterOf(call, { kind: 'callback', reason: 'callback_undeliverable', attempts: task.tries });
  const original = { header: callbackTaskCodec.header, value: callbackTaskCodec.encode(task), body };
  await putDeadLetter(calls, letter, original);
  return task;
}

export function outcomeOf(call: Call, fields: Partial<Outcome> = {}): Outcome {
  return {
    v: 1,
    ...keyOf(call),
    function: call.function,
    queue: call.queue,
    status: 'succeeded',
    attempts: 1,
    maxRetries: 3,
    endedAt: Date.now(),
    headers: [],
    ...fields,
  };
}

/** All calls in a queue, in their order. */
export async function queuedCalls({ manager }: Pick<DeadLetters, 'manager'>, queue: string): Promise<Call[]> {
  const stream = `CALLS_${queue}`;
  const { state } = await manager.streams.info(stream);
  const found: Call[] = [];
  for (let seq = Math.max(1, state.first_seq); seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(stream, { seq });
    if (message === null) {
      continue;
    }
    const decoded = decodeCall(message.header.get(callHeader), message.data);
    if (decoded.kind !== 'call') {
      throw new Error(decoded.problem);
    }
    found.push(decoded.call);
  }
  return found;
}

/** The register of a process that knows the function of the test in this queue. */
export function registerOf({
  name,
  queue,
}: {
  name: string;
  queue: string;
}): (name: string) => FunctionConfig | undefined {
  const retry = {
    attempts: undefined,
    minWaitMs: undefined,
    maxWaitMs: undefined,
    backoff: undefined,
    codes: undefined,
  };
  const config = {
    name,
    url: 'http://fn.test',
    queue,
    timeoutMs: 0,
    concurrency: undefined,
    maxPending: undefined,
    adaptive: true,
    retry,
  };
  const register = new FunctionRegister({ functions: new Map([[name, config]]), fallback: undefined });
  return (wanted) => register.lookup(wanted);
}
