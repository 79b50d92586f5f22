import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'undici';
import { percentile } from '../statistics.ts';
import type { PartsAlone, SteadyResult, SteadySettings } from '../systems/index.ts';

/** Sends calls at a steady rate and times each from its POST to its callback. Measures the single round trips first. */
const settings = JSON.parse(process.argv[2] ?? '') as SteadySettings;
const { durationMs } = settings;
/** Fewer than the callbacks that a worker sends to one host at once. */
const burst = 8;
const sentAt = new Map<string, number>();
const calledBackAt = new Map<string, number>();

const receiver = createServer((request, response) => {
  calledBackAt.set(String(request.headers['x-call-id']), performance.now());
  request.resume();
  request.on('end', () => response.writeHead(204).end());
});
receiver.listen(0, '127.0.0.1');
await once(receiver, 'listening');
const callbackUrl = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/`;
const gateway = new Pool(settings.gatewayUrl, { connections: 16 });

await warmUp();
const parts = await measureParts();
sentAt.clear();
await atRate(durationMs, call);
await untilCalledBack();
const latencies = [...sentAt].map(([id, at]) => (calledBackAt.get(id) ?? Number.NaN) - at);
const result: SteadyResult = {
  ...parts,
  calls: latencies.length,
  p50Ms: percentile(latencies, 0.5),
  p99Ms: percentile(latencies, 0.99),
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));

/**
 * Sends as many calls as the measurement has milliseconds, in bursts: at the rate of the measurement, all processes,
 * this one included, would run code that V8 has not optimized yet.
 */
async function warmUp(): Promise<void> {
  for (let sent = 0; sent < durationMs; sent += burst) {
    await Promise.all(Array.from({ length: burst }, call));
    await untilCalledBack();
    sentAt.clear();
  }
}

async function measureParts(): Promise<PartsAlone> {
  const functionMs = await medianOf(postsTo(settings.functionUrl));
  const callbackMs = await medianOf(postsTo(callbackUrl));
  await order('hold');
  const acceptMs = await medianOf(call);
  await order('release');
  await untilCalledBack();
  return { acceptMs, functionMs, callbackMs };
}

/** Calls wait at the function while it holds them: see `BenchFunction`. */
async function order(name: 'hold' | 'release'): Promise<void> {
  await (await fetch(`${settings.functionUrl}/${name}`, { method: 'POST' })).body?.cancel();
}

async function call(): Promise<void> {
  const startedAt = performance.now();
  const headers = { 'X-Callback-Url': callbackUrl };
  const response = await gateway.request({ path: settings.path, method: 'POST', headers, body: 'x'.repeat(256) });
  await response.body.dump();
  if (response.statusCode !== 202) {
    throw new Error(`a call was answered ${response.statusCode}`);
  }
  sentAt.set(String(response.headers['x-call-id']), startedAt);
}

function postsTo(url: string): () => Promise<void> {
  const pool = new Pool(url, { connections: 16 });
  return async () => {
    const response = await pool.request({ path: '/', method: 'POST', body: 'x'.repeat(256) });
    await response.body.dump();
  };
}

async function medianOf(send: () => Promise<void>): Promise<number> {
  return percentile(await atRate(durationMs / 4, send), 0.5);
}

/** Starts each one at its time, even if those before have not ended. Returns how long each took. */
async function atRate(forMs: number, send: () => Promise<void>): Promise<number[]> {
  const { perSecond } = settings;
  const count = Math.max(1, Math.round((forMs * perSecond) / 1000));
  const startedAt = performance.now();
  const sending: Promise<number>[] = [];
  for (let index = 0; index < count; index++) {
    await delay(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()));
    const sendingAt = performance.now();
    sending.push(send().then(() => performance.now() - sendingAt));
  }
  return await Promise.all(sending);
}

async function untilCalledBack(): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (![...sentAt.keys()].every((id) => calledBackAt.has(id))) {
    if (performance.now() > deadline) {
      throw new Error('not every call was called back');
    }
    await delay(10);
  }
}
