import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { startFleet } from '@asyncfn/stack';
import { createRandom, eventually } from '@asyncfn/testkit';
import { BrokerLook } from '../broker/index.ts';
import { nowhere } from '../history/index.ts';
import { Receivers, Sender, startCallee } from '../load/index.ts';
import { createAccess, fleetOptions } from '../rig/index.ts';
import { Sampler } from './sampler.ts';
import type { Trend } from './trend.ts';

export interface SoakOptions {
  readonly durationMs: number;
  readonly seed: number;
  /** Calls a second. */
  readonly rate: number;
  readonly nodes: number;
  /** Where `samples.jsonl` goes. */
  readonly folder: string;
  /** Between two samples, in milliseconds. Default 5,000. */
  readonly intervalMs?: number;
  readonly natsServerBin?: string;
  readonly log: (line: string) => void;
}

export interface SoakResult {
  readonly sent: number;
  readonly accepted: number;
  readonly trends: readonly Trend[];
  /** Whether every watched value has stopped growing. */
  readonly flat: boolean;
}

/**
 * Values that are kept for an hour grow for an hour: outcomes, and records of expired calls. Dead letters are kept for
 * a week.
 */
const growsByDesign = /^messages in (OUTCOMES|DEAD_LETTERS|HANDOVERS|EXPIRIES)$/;
/** Idempotency keys stay in the streams of the queues for a day by default. */
const gatewayEnv = { IDEMPOTENCY_WINDOW: '1m' };

/** A steady load without faults: do memory, handles, consumers and streams reach a value and stay there? */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { durationMs, folder, nodes, seed, rate, log } = options;
  await mkdir(folder, { recursive: true });
  await using callee = await startCallee(nowhere);
  await using receivers = await Receivers.start(nowhere);
  const access = await createAccess(folder);
  const { tokensFile } = access;
  const { dnsServers } = receivers;
  const rig = { ...options, functionUrl: callee.url, tokensFile, dnsServers, fleet: { gatewayEnv } };
  await using fleet = await startFleet(fleetOptions(rig));
  await using look = await BrokerLook.open(fleet.natsUrls);
  await using sender = new Sender({
    history: nowhere,
    gateways: fleet.gateways,
    access,
    receivers,
    hostile: false,
    random: createRandom(seed),
    rate,
    clients: 200,
  });
  const file = join(folder, 'samples.jsonl');
  const sampler = new Sampler({ fleet, look, intervalMs: options.intervalMs ?? 5_000, file });
  log(`soaking for ${durationMs} ms at ${rate} calls a second with ${nodes} nats-server(s); samples in ${file}`);
  const over = new AbortController();
  const work = Promise.all([sender.run(over.signal), sampler.run(over.signal)]);
  const progress = setInterval(() => log(`${sender.sent} calls sent, ${sender.accepted} accepted`), 60_000);
  try {
    await Promise.race([delay(durationMs, undefined, { signal: over.signal }), work]);
  } finally {
    over.abort();
    clearInterval(progress);
  }
  await work;
  await eventually(async () => (await look.left()).count === 0, {
    timeoutMs: 120_000,
    message: 'calls stay in the queues',
  });
  const trends = sampler.trends().filter(({ name }) => !growsByDesign.test(name));
  return { sent: sender.sent, accepted: sender.accepted, trends, flat: trends.every(({ flat }) => flat) };
}
