import { eventually } from '@asyncfn/testkit';
import { beforeEach, describe, expect, inject, test } from 'vitest';
import { type FunctionConfig, FunctionRegister } from '../src/functions/index.ts';
import { AdmissionControl, CallQueue, Publisher } from '../src/jetstream/index.ts';
import { uniqueQueue } from './connected.ts';
import { buildCall, functionConfig, startGatewaySide, startWorkerSide, type WorkerSide } from './harness.ts';

let queue: string;
const bodyBytes = 10_000;

beforeEach(() => {
  queue = uniqueQueue();
});

/** A gateway with limits. */
async function startLimited(changes: Partial<FunctionConfig>, maxBytes?: number) {
  const target = { ...functionConfig('echo', queue), ...changes };
  const side = await startGatewaySide(inject('natsUrl'), { queues: [queue], functions: [target] });
  const register = new FunctionRegister({ functions: new Map([['echo', target]]), fallback: undefined });
  const { topology, broker } = side;
  const admission = new AdmissionControl({ topology, functions: () => register.list(), maxBytes: () => maxBytes });
  const calls = new CallQueue({ broker, topology, publisher: new Publisher(broker), register, admission });
  const accept = () => calls.accept(buildCall(queue, { body: new Uint8Array(bodyBytes) }), { unique: false });
  return { ...side, target, admission, calls, accept };
}

type Limited = Awaited<ReturnType<typeof startLimited>>;

/** Accepts until one is refused; returns how many were not, and the reason. */
async function acceptUntilRefused({ accept }: Limited): Promise<[count: number, reason: string]> {
  for (let count = 0; ; count++) {
    const result = await accept();
    if (result.kind === 'refused') {
      return [count, result.reason];
    }
  }
}

async function drain({ source, deliveries, topology }: WorkerSide, count: number): Promise<void> {
  const before = deliveries.length;
  await topology.ensureFunction(functionConfig('echo', queue));
  source.request({ queue, function: 'echo' }, count, 5_000);
  await eventually(() => deliveries.length === before + count);
  for (const delivery of deliveries.slice(before)) {
    delivery.ack();
  }
}

describe('a queue with a limit of bytes', () => {
  test('takes calls up to its limit, and again once there is room', async () => {
    await using limited = await startLimited({}, 20 * bodyBytes);
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    expect(await acceptUntilRefused(limited)).toEqual([19, 'queue_full']);
    await drain(worker, 10);
    // The acks are on their way.
    await eventually(async () => (await limited.accept()).kind === 'stored');
  });

  test('is not exceeded by calls that come all at once', async () => {
    await using limited = await startLimited({}, 20 * bodyBytes);
    const results = await Promise.all(Array.from({ length: 100 }, () => limited.accept()));
    expect(results.filter(({ kind }) => kind === 'stored')).toHaveLength(19);
  });

  test('takes nothing beyond it from a gateway that has just started', async () => {
    await using before = await startLimited({}, 20 * bodyBytes);
    await acceptUntilRefused(before);
    await using after = await startLimited({}, 20 * bodyBytes);
    const results = await Promise.all(Array.from({ length: 20 }, () => after.accept()));
    expect(results.filter(({ kind }) => kind === 'stored')).toEqual([]);
    await using elsewhere = await startLimited({ queue: uniqueQueue() }, 20 * bodyBytes);
    const call = buildCall(queue, { body: new Uint8Array(bodyBytes) });
    expect(await elsewhere.calls.accept(call, { unique: false })).toMatchObject({ reason: 'queue_full' });
  });

  test('is exceeded by several gateways only by what they accept between two checks', async () => {
    await using one = await startLimited({}, 20 * bodyBytes);
    await using two = await startLimited({}, 20 * bodyBytes);
    await Promise.all([acceptUntilRefused(one), acceptUntilRefused(two)]);
    const { state } = await one.topology.manager.streams.info(`CALLS_${queue}`);
    expect(state.bytes).toBeLessThan(2 * 20 * bodyBytes);
    await Promise.all([one.admission.refresh(), two.admission.refresh()]);
    expect([await one.accept(), await two.accept()]).toMatchObject([{ kind: 'refused' }, { kind: 'refused' }]);
  });

  test('takes retries and other messages that are not new calls', async () => {
    await using limited = await startLimited({}, 3 * bodyBytes);
    await acceptUntilRefused(limited);
    const subject = `calls.${queue}.ready.~.echo.replayed.~.1`;
    const message = {
      subject,
      headers: (await import('@nats-io/transport-node')).headers(),
      body: new Uint8Array(bodyBytes),
    };
    expect(await limited.publisher.publish(message)).toMatchObject({ kind: 'stored' });
  });
});

describe('a function with a limit of waiting calls', () => {
  test('has as many waiting calls and no more, however many are in flight', async () => {
    await using limited = await startLimited({ maxPending: 5 });
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    expect(await acceptUntilRefused(limited)).toEqual([5, 'too_many_pending']);
    await drain(worker, 2);
    await eventually(async () => (await limited.accept()).kind === 'stored');
    await eventually(async () => (await limited.accept()).kind === 'stored');
    expect(await limited.accept()).toMatchObject({ kind: 'refused', reason: 'too_many_pending' });
  });

  test('takes no more from a gateway that has just started', async () => {
    await using before = await startLimited({ maxPending: 5 });
    await acceptUntilRefused(before);
    await using after = await startLimited({ maxPending: 5 });
    const results = await Promise.all(Array.from({ length: 20 }, () => after.accept()));
    expect(results.filter(({ kind }) => kind === 'stored')).toEqual([]);
    await using raised = await startLimited({ maxPending: 8 });
    const more = await Promise.all(Array.from({ length: 20 }, () => raised.accept()));
    expect(more.filter(({ kind }) => kind === 'stored')).toHaveLength(3);
  });

  test('with calls that are taken as fast as they come is never at its limit', async () => {
    await using limited = await startLimited({ maxPending: 5 });
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await worker.topology.ensureFunction(limited.target);
    worker.source.request({ queue, function: 'echo' }, 50, 10_000);
    const refusals: string[] = [];
    for (let sent = 0; sent < 50; sent++) {
      const result = await limited.accept();
      if (result.kind === 'refused') {
        refusals.push(result.reason);
      }
      await eventually(() => worker.deliveries.length === sent + 1 - refusals.length);
    }
    expect(refusals).toEqual([]);
  });

  test('is not refused a call for calls that were taken long ago', async () => {
    await using limited = await startLimited({ maxPending: 5 });
    await using worker = await startWorkerSide(inject('natsUrl'), { queues: [queue] });
    await acceptUntilRefused(limited);
    expect(limited.calls.refusalFor(limited.target)).toBe('too_many_pending');
    await drain(worker, 5);
    await eventually(() => limited.calls.refusalFor(limited.target) === undefined);
    expect(await limited.accept()).toMatchObject({ kind: 'stored' });
  });

  test('does not count calls that were not stored', async () => {
    await using limited = await startLimited({ maxPending: 1 });
    const request = { function: limited.target, bytes: 0 };
    const settle = limited.admission.add(request);
    expect(limited.admission.refusalFor(request)).toBe('too_many_pending');
    settle(false);
    expect(limited.admission.refusalFor(request)).toBeUndefined();
  });
});
