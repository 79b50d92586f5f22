import { ApiClient, CallClient, type Env } from '@asyncfn/stack';
import { gate, startTestFunction, status } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const hourMs = 3_600_000;

/** Settings of a process whose wall clock is wrong from its start. Timers and monotonic clocks are right. */
function clockOff(offMs: number): Env {
  const source = `
    const RealDate = Date;
    const realNow = RealDate.now;
    const now = () => realNow() + ${offMs};
    RealDate.now = now;
    globalThis.Date = new Proxy(RealDate, {
      construct: (target, args, of) => Reflect.construct(target, args.length > 0 ? args : [now()], of),
    });`;
  return { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(source)}` };
}

test.concurrent.for([
  { gatewayHours: 5, workerHours: 12 },
  { gatewayHours: -5, workerHours: -12 },
])(
  'clocks that are off by hours change nothing (gateway $gatewayHours, worker $workerHours)',
  async ({ gatewayHours, workerHours }) => {
    const held = gate(status(503, { times: 1 }));
    await using fn = await startTestFunction({ handler: held.handler });
    const retry = { attempts: 2, minWait: '100ms', maxWait: '100ms', backoff: 'exponential' };
    await using stack = await startStack({
      functions: { fn: { url: fn.url, retry } },
      gatewayEnv: clockOff(gatewayHours * hourMs),
      workerEnv: clockOff(workerHours * hourMs),
    });
    await using client = new ApiClient(stack.gateway.url);
    await using calls = new CallClient(stack.gateway.url);
    const begunAt = Date.now();

    // The gateway stores a time of the day, the broker waits for it, and the worker compares.
    const delayed = await client.accept('fn', { headers: { 'X-Delay': '1s', 'X-Expires-In': '1h' } });
    const early = await calls.state(delayed);
    expect(early).toMatchObject({ status: 'scheduled' });
    expect(Math.abs(Date.parse(String(early['createdAt'])) - begunAt)).toBeLessThan(30_000);
    await calls.until(delayed, 'running');
    expect(Date.now() - begunAt).toBeGreaterThanOrEqual(990);

    // The worker stores the time of the retry, and the gateway decides how long an end is shown.
    held.open();
    expect(await calls.untilEnded(delayed)).toMatchObject({ status: 'succeeded', attempts: 2 });
    await stack.untilSettled();
    expect(await calls.state(delayed)).toMatchObject({ status: 'succeeded' });
    expect((await fetch(`${stack.gateway.url}/async-function/${delayed}/result`)).status).toBe(200);

    // A call that may not start any more does not start.
    const expired = await client.accept('fn', { headers: { 'X-Delay': '2s', 'X-Expires-In': '1s' } });
    expect(await calls.untilEnded(expired)).toMatchObject({ status: 'expired' });
    expect(fn.countBy(expired)).toBe(0);

    const warning = 'the clock of this process is not that of NATS, whose time counts';
    for (const { process, hours } of [
      { process: stack.gateway, hours: gatewayHours },
      { process: stack.worker, hours: workerHours },
    ]) {
      const { aheadMs } = await process.untilLogged(warning);
      expect(Math.round(Number(aheadMs) / hourMs)).toBe(hours);
    }
  },
);
