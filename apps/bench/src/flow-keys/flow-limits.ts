import { ApiClient } from '@asyncfn/stack';
import { eventually, sleep, startTestFunction } from '@asyncfn/testkit';
import type { Measurement, Scale, Scenario } from '../scenario.ts';
import { median } from '../statistics.ts';
import type { SystemOptions } from '../systems/index.ts';
import { once } from './once.ts';
import { startThreeWorkers } from './three-workers.ts';

/** A call that its function has got. */
interface Begun {
  /** `performance.now()` milliseconds. */
  readonly at: number;
  readonly path: string;
}

/** What other keys notice of a key with many calls, and how soon a changed rate holds. */
export function keyedLimitsScenario(options: SystemOptions): Scenario {
  return {
    name: 'flow-limits',
    title: 'Flow limits over 3 workers: a key beside one with 10,000 calls, and a rate of 20/1s that becomes 100/1s',
    figures: [{ name: 'median ms' }, { name: 'longest ms' }, { name: 'felt after ms' }, { name: 'most in 1 s before' }],
    reference: 'asyncfn',
    cases: (scale) => [
      { name: 'first call of another key', subjects: [once('asyncfn', () => besideBusyKey(options, scale))] },
      { name: 'changed rate', subjects: [once('asyncfn', () => withNewRate(options))] },
    ],
  };
}

/** From the POST of a call of a new key until its function gets it. */
async function besideBusyKey(options: SystemOptions, { dispatchShare }: Scale): Promise<Measurement> {
  return await measured(options, async (client, begun) => {
    await client.acceptMany('limited', 10_000 * dispatchShare, { headers: { 'X-Flow-Key': 'busy' } });
    const waits: number[] = [];
    for (let n = 0; n < 20; n++) {
      const postedAt = performance.now();
      await client.accept('limited', { target: `/${n}`, headers: { 'X-Flow-Key': `idle-${n}` } });
      const at = await eventually(() => begun.find(({ path }) => path === `/${n}`)?.at, { timeoutMs: 60_000 });
      waits.push((at ?? Number.NaN) - postedAt);
    }
    return { 'median ms': median(waits), 'longest ms': Math.max(...waits) };
  });
}

/** From the change until a second has had more calls than the old rate allows. */
async function withNewRate(options: SystemOptions): Promise<Measurement> {
  return await measured(options, async (client, begun, gatewayUrl) => {
    const headers = { 'X-Flow-Key': 'shop', 'X-Flow-Control': 'parallelism=100, rate=20, period=1s' };
    await client.acceptMany('limited', 300, { headers });
    await eventually(() => begun.length >= 100, { timeoutMs: 60_000 });
    const before = begun.length;
    const changedAt = performance.now();
    await pin(`${gatewayUrl}/system/flows/limited/shop`, { rate: '100/1s' });
    const inSecondOf = (index: number): number =>
      begun.slice(0, index + 1).filter(({ at }) => at > (begun[index]?.at ?? 0) - 1_000).length;
    const felt = await eventually(() => begun.find((_, index) => index >= before && inSecondOf(index) > 20)?.at, {
      timeoutMs: 60_000,
    });
    const counts = Array.from({ length: before }, (_, index) => inSecondOf(index));
    return { 'felt after ms': (felt ?? Number.NaN) - changedAt, 'most in 1 s before': Math.max(...counts) };
  });
}

async function pin(url: string, limits: object): Promise<void> {
  const response = await fetch(url, {
    method: 'PUT',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(limits),
  });
  if (!response.ok) {
    throw new Error(`a flow key could not be pinned: ${await response.text()}`);
  }
}

/** Calls of 50 ms of the function `limited`, and when they begin. */
async function measured(
  options: SystemOptions,
  measure: (client: ApiClient, begun: readonly Begun[], gatewayUrl: string) => Promise<Measurement>,
): Promise<Measurement> {
  const begun: Begun[] = [];
  const work = sleep(50);
  await using fn = await startTestFunction({
    handler: (request, response) => {
      begun.push({ at: performance.now(), path: request.url ?? '' });
      return work(request, response);
    },
    keepBodies: false,
  });
  await using stack = await startThreeWorkers(options, { limited: fn.url });
  await using client = new ApiClient(stack.gateway.url, 64);
  return await measure(client, begun, stack.gateway.url);
}
