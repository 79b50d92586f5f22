import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiClient, CallRequest } from '@asyncfn/stack';
import { type CallbackReceiver, eventually, type TestFunction } from '@asyncfn/testkit';
import { expect } from 'vitest';
import { percentile } from './timing.ts';

/** A caller that shares the system with others. */
export interface Neighbour {
  readonly client: ApiClient;
  /** The name of the function. */
  readonly name: string;
  readonly fn: TestFunction;
  readonly inbox: CallbackReceiver;
  /** With a callback URL that leads to the inbox. */
  readonly request: CallRequest;
}

/** Times from the request to the answer and the callback, in milliseconds. */
export interface Service {
  readonly calls: readonly number[];
  readonly callbacks: readonly number[];
}

/** Calls come at this pace, without waiting for earlier ones: if the system stands still, all of them show it. */
const paceMs = 50;

/** Makes `count` calls and waits for the callback of each. Rejects if one does not come. */
export async function measureService(neighbour: Neighbour, count: number): Promise<Service> {
  const served: Promise<{ call: number; callback: number }>[] = [];
  for (let made = 0; made < count; made += 1) {
    served.push(serve(neighbour));
    await sleep(paceMs);
  }
  const times = await Promise.all(served);
  return { calls: times.map(({ call }) => call), callbacks: times.map(({ callback }) => callback) };
}

async function serve({ client, name, fn, inbox, request }: Neighbour): Promise<{ call: number; callback: number }> {
  const startedAt = performance.now();
  const callId = await client.accept(name, request);
  const callback = await eventually(() => inbox.byCallId(callId)[0], {
    message: `call ${callId} has no callback`,
  });
  return { call: (fn.byCallId(callId)[0]?.at ?? Number.NaN) - startedAt, callback: callback.at - startedAt };
}

/** The middle and the worst but one in a hundred, of calls and of callbacks, in whole milliseconds. */
function summary({ calls, callbacks }: Service) {
  const of = (values: readonly number[], share: number): number => Math.round(percentile(values, share));
  return {
    callP50: of(calls, 0.5),
    callP99: of(calls, 0.99),
    callbackP50: of(callbacks, 0.5),
    callbackP99: of(callbacks, 0.99),
  };
}

/**
 * Twice as long, and some time for a machine that is busy or stands still for seconds. Without shares, half of the
 * callbacks take 12 to 35 s, and calls 29 s.
 */
export function expectAsQuiet(service: Service, quiet: Service): void {
  const [is, was] = [summary(service), summary(quiet)];
  const slackMs = { callP50: 6_000, callP99: 9_000, callbackP50: 6_000, callbackP99: 9_000 };
  for (const [key, slack] of Object.entries(slackMs) as [keyof typeof slackMs, number][]) {
    expect([key, is[key]]).toEqual([key, expect.toSatisfy((ms: number) => ms <= 2 * was[key] + slack)]);
  }
}
