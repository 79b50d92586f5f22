import { type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { type CallbackTask, createCallId } from '@asyncfn/queue-core';
import { CallbackVerifier } from '@asyncfn/queue-core/webhook';
import { eventually, gate, type RecordedRequest, startCallbackReceiver, status } from '@asyncfn/testkit';
import { beforeEach, describe, expect, inject, onTestFinished, test, vi } from 'vitest';
import { type BenchOptions, type SettlingBench, startBench } from './settling-bench.ts';

let server: NatsServer;

// The stored callbacks of all tests are in one stream.
beforeEach(async () => {
  server = await startNatsServer({ bin: inject('natsServerBin') });
  onTestFinished(async () => void (await server.stop()));
});

async function open(options: Partial<BenchOptions> = {}): Promise<SettlingBench> {
  const bench = await startBench({ natsUrl: server.url, functionUrl: 'http://unknown.test', ...options });
  onTestFinished(() => bench[Symbol.asyncDispose]());
  return bench;
}

function taskFor(url: string, changes: Partial<CallbackTask> = {}): CallbackTask {
  return {
    v: 1,
    callId: createCallId(),
    generation: 0,
    function: 'echo',
    queue: 'default',
    url,
    functionStatus: 200,
    durationMs: 12,
    startTime: '1700000000000000000',
    retry: 0,
    maxRetries: 10,
    headers: [],
    tries: 0,
    ...changes,
  };
}

const body = Buffer.from('result');

describe('a signed callback', () => {
  const [common, old, fresh] = [1, 2, 3].map((byte) => [Buffer.alloc(32, byte)]);

  function signerOf({ headers, body: sent }: RecordedRequest): readonly Uint8Array[] | undefined {
    return [common, old, fresh].find((keys) => {
      const verifier = new CallbackVerifier(keys ?? [], headers, Date.now());
      verifier.update(sent);
      return verifier.verdict().kind === 'valid';
    });
  }

  test('is signed at each delivery with the secrets that its token has by then, stored or not', async () => {
    const tokens = new Map([['partner', old]]);
    await using receiver = await startCallbackReceiver({
      respond(_, response) {
        response.writeHead(receiver.callbacks.length < 3 ? 500 : 204).end();
        if (receiver.callbacks.length === 2) {
          tokens.set('partner', fresh);
        }
      },
    });
    const bench = await open({ signing: { common: common ?? [], tokens: () => tokens } });
    bench.deliverStored();
    await bench.deliverer.deliver(taskFor(receiver.url, { submitter: 'partner', ownSecret: true }), body);
    await receiver.waitForCallbacks(3);
    expect(receiver.callbacks.map(signerOf)).toEqual([old, old, fresh]);
  });

  test('of a token that is gone is sent unsigned, stored or not, and never with the common secrets', async () => {
    await using receiver = await startCallbackReceiver({ respond: status(401, { times: 1 }) });
    const bench = await open({ signing: { common: common ?? [], tokens: () => new Map() } });
    bench.deliverStored();
    await bench.deliverer.deliver(taskFor(receiver.url, { submitter: 'partner', ownSecret: true }), body);
    await bench.deliverer.deliver(taskFor(receiver.url, { submitter: 'partner' }), body);
    await receiver.waitForCallbacks(3);
    expect(receiver.callbacks.map(signerOf).filter((signer) => signer !== undefined)).toEqual([common]);
    expect(bench.logged.filter((msg) => msg.startsWith('callback is not signed'))).toHaveLength(1);
  });
});

describe('the first delivery of a callback', () => {
  test('that succeeds is the last one, and is recorded', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    const task = taskFor(receiver.url);
    expect(await bench.deliverer.deliver(task, body)).toBe(true);
    expect(receiver.callbacks.map((callback) => callback.body)).toEqual([body]);
    expect(await bench.store.findCallbackState(task)).toEqual({ v: 1, status: 'delivered', attempts: 1 });
  });

  test('is recorded although the broker does not take the record at first', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    const busy = { kind: 'refused', reason: 'timeout', detail: 'no answer within 5000 ms' } as const;
    vi.spyOn(bench.store, 'recordCallbackState').mockResolvedValueOnce(busy).mockResolvedValueOnce(busy);
    const task = taskFor(receiver.url);
    expect(await bench.deliverer.deliver(task, body)).toBe(true);
    expect(await bench.store.findCallbackState(task)).toMatchObject({ status: 'delivered' });
    expect(receiver.callbacks).toHaveLength(1);
  });

  test('that fails is followed by others, by the schedule, until one succeeds', async () => {
    await using receiver = await startCallbackReceiver({ respond: status(500, { times: 2 }) });
    const bench = await open();
    const task = taskFor(receiver.url);
    expect(await bench.deliverer.deliver(task, body)).toBe(true);
    expect(await bench.store.findCallbackState(task)).toEqual({ v: 1, status: 'pending', attempts: 1 });
    bench.deliverStored();
    await receiver.waitForCallbacks(3);
    await eventually(async () => (await bench.store.findCallbackState(task))?.status === 'delivered');
    expect(await bench.store.findCallbackState(task)).toMatchObject({ attempts: 3 });
    expect(receiver.callbacks.map((callback) => callback.body)).toEqual([body, body, body]);
  });

  test('waits for a slot of its host, and after two seconds lets the broker keep it, untried', async () => {
    const busy = gate((_, response) => void response.writeHead(204).end());
    await using receiver = await startCallbackReceiver({ respond: busy.handler });
    const bench = await open({ callbacksPerHost: 1 });
    const [first, second] = [taskFor(receiver.url), taskFor(receiver.url)];
    const sent = bench.deliverer.deliver(first, body);
    await receiver.waitForCallbacks(1);
    expect(await bench.deliverer.deliver(second, body)).toBe(true);
    expect(await bench.store.findCallbackState(second)).toEqual({ v: 1, status: 'pending', attempts: 0 });
    busy.open();
    expect(await sent).toBe(true);
    bench.deliverStored();
    await receiver.waitForCallbacks(2);
    await eventually(async () => (await bench.store.findCallbackState(second))?.attempts === 1);
  });

  test('that a stop cuts short is kept, as if it had not been tried', async () => {
    await using receiver = await startCallbackReceiver({ respond: gate().handler });
    const bench = await open();
    const task = taskFor(receiver.url);
    const sent = bench.deliverer.deliver(task, body);
    await receiver.waitForCallbacks(1);
    bench.cutShort.abort();
    expect(await sent).toBe(true);
    expect(await bench.store.findCallbackState(task)).toEqual({ v: 1, status: 'pending', attempts: 0 });
  });

  test('that fails and is too large for the broker to keep is a dead letter that says so', async () => {
    await using receiver = await startCallbackReceiver({ respond: status(500) });
    const bench = await open();
    const task = taskFor(receiver.url);
    expect(await bench.deliverer.deliver(task, Buffer.alloc(9 * 1024 * 1024))).toBe(true);
    expect(bench.logged).toContain('callback is too large to be stored by the broker');
    expect(await bench.deadLetters.find({ callId: task.callId })).toMatchObject([
      { letter: { kind: 'callback', reason: 'callback_undeliverable', attempts: 1 } },
    ]);
  });
});

describe('a callback without room in the budget', () => {
  const large = Buffer.alloc(100 * 1024, 'l');

  function takeAllRoom({ budgets }: SettlingBench) {
    const other = budgets.callbacks.open('other');
    other.reserve(512 * 1024 * 1024);
    return other;
  }

  test('waits at the broker, untried, until there is room', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    const other = takeAllRoom(bench);
    const task = taskFor(receiver.url);
    const counted = bench.budgets.results.open('echo');
    counted.reserve(large.length);
    expect(await bench.deliverer.deliver(task, large, counted)).toBe(true);
    expect(await bench.store.findCallbackState(task)).toEqual({ v: 1, status: 'pending', attempts: 0 });
    bench.deliverStored();
    await eventually(async () => (await bench.storedCallbackDeliveries()) > 0);
    expect(receiver.callbacks).toEqual([]);
    other.release();
    await receiver.waitForCallbacks(1);
    expect(receiver.callbacks.map((callback) => callback.body.equals(large))).toEqual([true]);
    await eventually(() => bench.budgets.callbacks.usedBytes === 0);
  });

  test('does not hold up a small one', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    takeAllRoom(bench);
    expect(await bench.deliverer.deliver(taskFor(receiver.url), body)).toBe(true);
    expect(receiver.callbacks).toHaveLength(1);
  });

  test('and that is too large for the broker waits a little, and is sent when there is room', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    const other = takeAllRoom(bench);
    const first = bench.deliverer.deliver(taskFor(receiver.url), Buffer.alloc(9 * 1024 * 1024));
    await eventually(() => bench.budgets.callbacks.waiting === 1);
    other.release();
    expect(await first).toBe(true);
    expect(receiver.callbacks).toHaveLength(1);
  });

  test('and that is too large for the broker is a dead letter if no room comes in time', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    takeAllRoom(bench);
    const task = taskFor(receiver.url);
    expect(await bench.deliverer.deliver(task, Buffer.alloc(9 * 1024 * 1024))).toBe(true);
    expect(await bench.deadLetters.find({ callId: task.callId })).toMatchObject([
      { letter: { kind: 'callback', reason: 'callback_undeliverable', attempts: 0 } },
    ]);
    expect(receiver.callbacks).toEqual([]);
  });
});

describe('a callback that may not be sent to its address', () => {
  test.each(['http://127.0.0.1:PORT', 'http://localhost:PORT', 'https://127.0.0.1:PORT', 'ftp://127.0.0.1', 'no URL'])(
    'such as %s is a dead letter at once, and is not retried',
    async (url) => {
      await using receiver = await startCallbackReceiver();
      const bench = await open({ callbackAllow: '' });
      const task = taskFor(url.replace('PORT', String(receiver.port)));
      expect(await bench.deliverer.deliver(task, body)).toBe(true);
      expect(await bench.store.findCallbackState(task)).toEqual({ v: 1, status: 'failed', attempts: 1 });
      expect(await bench.deadLetters.find({ callId: task.callId })).toMatchObject([
        { letter: { kind: 'callback', reason: 'callback_undeliverable', attempts: 1 } },
      ]);
      expect(receiver.callbacks).toEqual([]);
    },
  );

  test('is a dead letter as well if it was stored before', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open({ callbackAllow: '' });
    const tasks = [taskFor(receiver.url), taskFor('no URL')];
    for (const task of tasks) {
      await bench.callbackStore.store(task, body, Date.now(), 0);
    }
    bench.deliverStored();
    for (const task of tasks) {
      await eventually(async () => (await bench.store.findCallbackState(task))?.status === 'failed');
    }
    expect(receiver.callbacks).toEqual([]);
  });
});

describe('a stored callback', () => {
  test.each([
    ['its count', { tries: -1 }],
    ['its function', { function: '*' }],
    ['its queue', { queue: 'a.b' }],
    ['its duration', { durationMs: 'long' as never }],
  ])('that cannot be read for %s is dropped, and those behind it are delivered', async (_, changes) => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    await bench.callbackStore.store(taskFor(receiver.url, changes), body, Date.now(), 0);
    await bench.callbackStore.store(taskFor(receiver.url), body, Date.now(), 0);
    bench.deliverStored();
    await receiver.waitForCallbacks(1);
    await eventually(() => bench.logged.includes('stored callback cannot be read and is dropped'));
  });

  test('whose schedule is used up is a dead letter, which an operator can replay', async () => {
    await using receiver = await startCallbackReceiver({ respond: status(500) });
    const bench = await open({ callbackScheduleMs: [50] });
    const task = taskFor(receiver.url);
    await bench.deliverer.deliver(task, body);
    bench.deliverStored();
    await eventually(async () => (await bench.store.findCallbackState(task))?.status === 'failed');
    expect(receiver.callbacks).toHaveLength(2);
    receiver.handler = (_, response) => void response.writeHead(204).end();
    const replayed = await bench.deadLetters.replay({ callId: task.callId }, () => undefined, 'callback');
    expect(replayed).toEqual({ kind: 'replayed', queue: undefined });
    await receiver.waitForCallbacks(3);
  });

  test('whose body a broker does not know yet comes back', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    const { direct, streams } = bench.topology.manager;
    const unknown = [direct, streams].map((api) => vi.spyOn(api, 'getMessage').mockResolvedValueOnce(null));
    await bench.callbackStore.store(taskFor(receiver.url), body, Date.now(), 0);
    bench.deliverStored();
    await receiver.waitForCallbacks(1);
    expect(unknown.every((each) => each.mock.calls.length > 0)).toBe(true);
    expect(receiver.callbacks.map((callback) => callback.body.toString())).toEqual(['result']);
  });

  test('that takes longer than its lease is delivered once', async () => {
    const slow = gate((_, response) => void response.writeHead(204).end());
    await using receiver = await startCallbackReceiver({ respond: slow.handler });
    const bench = await open({ ackWaitMs: 1_000 });
    const other = await open({ ackWaitMs: 1_000 });
    const task = taskFor(receiver.url);
    await bench.callbackStore.store(task, body, Date.now(), 0);
    bench.deliverStored();
    other.deliverStored();
    await receiver.waitForCallbacks(1);
    await using second = await startCallbackReceiver();
    // A message that is stored later, with a lease of its own, shows how far the time has come.
    for (const leases of [1, 2, 3]) {
      await bench.callbackStore.store(taskFor(second.url), body, Date.now() + 1_000, 0);
      await second.waitForCallbacks(leases);
    }
    slow.open();
    await eventually(async () => (await bench.store.findCallbackState(task))?.status === 'delivered');
    expect(receiver.callbacks).toHaveLength(1);
  });

  test('whose worker died during the delivery is delivered by another one once its lease is over', async () => {
    await using receiver = await startCallbackReceiver({ respond: gate().handler });
    const dying = await open({ ackWaitMs: 1_000 });
    const task = taskFor(receiver.url);
    await dying.callbackStore.store(task, body, Date.now(), 0);
    dying.deliverStored();
    await receiver.waitForCallbacks(1);
    await dying.broker.stop();
    receiver.handler = (_, response) => void response.writeHead(204).end();
    const other = await open({ ackWaitMs: 1_000 });
    other.deliverStored();
    await receiver.waitForCallbacks(2, 5_000);
    await eventually(async () => (await other.store.findCallbackState(task))?.status === 'delivered');
  });

  test('that becomes due while the broker is away is delivered soon after it is back', async () => {
    await using receiver = await startCallbackReceiver();
    const bench = await open();
    bench.deliverStored();
    await bench.callbackStore.store(taskFor(receiver.url), body, Date.now(), 0);
    await receiver.waitForCallbacks(1);
    await bench.callbackStore.store(taskFor(receiver.url), body, Date.now() + 500, 0);
    await server.restart({ signal: 'SIGKILL' });
    await receiver.waitForCallbacks(2);
  });
});

describe('a callback that one worker has delivered stays delivered when another one', () => {
  test.each([
    ['hears that its receiver is gone', 410, [50]],
    ['fails and stores it for later', 500, [60_000]],
    ['fails and gives it up', 500, []],
  ])('%s', async (_, code, callbackScheduleMs) => {
    const held = gate(status(code));
    let requests = 0;
    await using receiver = await startCallbackReceiver({
      respond: (request, response) => {
        requests += 1;
        return requests === 1 ? held.handler(request, response) : void response.writeHead(204).end();
      },
    });
    const slow = await open({ callbackScheduleMs });
    const other = await open();
    const task = taskFor(receiver.url);
    const late = slow.deliverer.deliver(task, body);
    await receiver.waitForCallbacks(1);
    expect(await other.deliverer.deliver(task, body)).toBe(true);
    held.open();
    expect(await late).toBe(true);
    expect(await other.store.findCallbackState(task)).toEqual({ v: 1, status: 'delivered', attempts: 1 });
  });
});

test('a callback that is recorded as waiting too late, after its next delivery, stays delivered', async () => {
  await using receiver = await startCallbackReceiver();
  const bench = await open();
  const task = taskFor(receiver.url);
  const known = await bench.store.findCallbackRecord(task);
  expect(await bench.deliverer.deliver(task, body)).toBe(true);
  const late = await bench.store.recordCallbackState(task, { v: 1, status: 'pending', attempts: 1 }, known.sequence);
  expect(late).toMatchObject({ kind: 'refused', reason: 'conflict' });
  expect(await bench.store.findCallbackState(task)).toMatchObject({ status: 'delivered' });
});
