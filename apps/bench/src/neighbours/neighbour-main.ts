import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { startTestFunction } from '@asyncfn/testkit';
import { Pool } from 'undici';
import { percentile } from '../statistics.ts';
import { serveCommands } from './control-server.ts';
import type { Service, ServiceSettings } from './neighbour.ts';

/**
 * A caller that shares the system with others: it calls its own function at a steady rate, without waiting for earlier
 * calls, and receives their callbacks.
 */
const lossMs = 15_000;
const calledAt = new Map<string, number>();
const calledBackAt = new Map<string, number>();
const own = await startTestFunction({
  keepRequests: false,
  handler({ url, callId = '', at }, response) {
    (url.startsWith('/inbox') ? calledBackAt : calledAt).set(callId, at);
    response.writeHead(200, { 'Content-Length': 0 }).end();
  },
});
let gateway: Pool | undefined;

const controlPort = await serveCommands({ measure });
process.stdout.write(`${JSON.stringify({ controlPort, port: own.port })}\n`);

async function measure({
  gatewayUrl,
  token,
  name,
  perSecond,
  durationMs,
  nonceHeader,
}: ServiceSettings): Promise<Service> {
  gateway ??= new Pool(gatewayUrl, { connections: 16 });
  const headers = { Authorization: `Bearer ${token}`, 'X-Callback-Url': `http://127.0.0.1:${own.port}/inbox` };
  const path = `/async-function/${name}`;
  const count = Math.round((durationMs * perSecond) / 1_000);
  const startedAt = performance.now();
  const served: Promise<Times | undefined>[] = [];
  for (let index = 0; index < count; index += 1) {
    await delay(Math.max(0, startedAt + (index * 1_000) / perSecond - performance.now()));
    const nonce = nonceHeader === undefined ? {} : { [nonceHeader]: randomUUID() };
    served.push(serve(gateway, path, { ...headers, ...nonce }));
  }
  const times = (await Promise.all(served)).filter((each) => each !== undefined);
  const all = (of: keyof Times): number[] => times.map((each) => each[of]);
  return {
    calls: count,
    lost: count - times.length,
    acceptP50Ms: percentile(all('accept'), 0.5),
    acceptP99Ms: percentile(all('accept'), 0.99),
    callP50Ms: percentile(all('call'), 0.5),
    callP99Ms: percentile(all('call'), 0.99),
    callbackP50Ms: percentile(all('callback'), 0.5),
    callbackP99Ms: percentile(all('callback'), 0.99),
  };
}

/** Milliseconds since the request: until its answer, until the function was invoked, and until the callback. */
interface Times {
  readonly accept: number;
  readonly call: number;
  readonly callback: number;
}

/** Undefined for a lost call: it was not accepted, or had no callback in time. */
async function serve(pool: Pool, path: string, headers: Record<string, string>): Promise<Times | undefined> {
  const startedAt = performance.now();
  const signal = AbortSignal.timeout(lossMs);
  const request = { method: 'POST', path, headers, body: 'x'.repeat(256), signal } as const;
  const response = await pool.request(request).catch(() => undefined);
  await response?.body.dump();
  const accept = performance.now() - startedAt;
  const callId = String(response?.headers['x-call-id']);
  if (response?.statusCode !== 202) {
    return undefined;
  }
  while (!calledBackAt.has(callId)) {
    if (performance.now() > startedAt + lossMs) {
      return undefined;
    }
    await delay(20);
  }
  const of = (times: Map<string, number>): number => (times.get(callId) ?? Number.NaN) - startedAt;
  return { accept, call: of(calledAt), callback: of(calledBackAt) };
}
