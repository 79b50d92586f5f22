import { Client } from 'undici';
import { warm } from '../measuring/index.ts';
import type { Measurement, RunningSubject, Scale, Scenario } from '../scenario.ts';
import { type AsyncfnSystem, type SystemOptions, startAsyncfn } from '../systems/index.ts';

const size = 1_000;
const body = 'x'.repeat(256);

/** How much faster calls are accepted with one request for all than with one request for each, at one connection. */
export function batchIntakeScenario(options: SystemOptions): Scenario {
  return {
    name: 'batch',
    title: `A batch of ${size} calls against ${size} POSTs, one connection`,
    figures: [{ name: 'calls/s', compared: true }],
    reference: 'POSTs',
    cases: (scale) => [
      {
        name: `${body.length} B`,
        subjects: [
          warm({ name: 'POSTs', start: () => startSending(options, scale, sendSingly) }, scale),
          warm({ name: 'batch', start: () => startSending(options, scale, sendBatch) }, scale),
        ],
      },
    ],
  };
}

type Send = (client: Client, name: string) => Promise<void>;

async function startSending(options: SystemOptions, { durationMs }: Scale, send: Send): Promise<RunningSubject> {
  const system: AsyncfnSystem = await startAsyncfn(options);
  const client = new Client(system.gatewayUrl);
  const [name = ''] = system.functions;
  return {
    async measure(): Promise<Measurement> {
      const startedAt = performance.now();
      let calls = 0;
      for (; performance.now() - startedAt < durationMs; calls += size) {
        await send(client, name);
      }
      const seconds = (performance.now() - startedAt) / 1000;
      await system.purge();
      return { 'calls/s': calls / seconds };
    },
    async [Symbol.asyncDispose]() {
      await client.close();
      await system[Symbol.asyncDispose]();
    },
  };
}

async function sendSingly(client: Client, name: string): Promise<void> {
  for (let sent = 0; sent < size; sent++) {
    await post(client, `/async-function/${name}`, body);
  }
}

async function sendBatch(client: Client, name: string): Promise<void> {
  const line = JSON.stringify({ function: name, body });
  await post(client, '/async-batch', Array.from({ length: size }, () => line).join('\n'));
}

async function post(client: Client, path: string, content: string): Promise<void> {
  const headers = { 'Content-Type': 'application/x-ndjson' };
  const response = await client.request({ method: 'POST', path, body: content, headers });
  const text = await response.body.text();
  if (response.statusCode !== 202) {
    throw new Error(`a request was answered ${response.statusCode}: ${text}`);
  }
}
