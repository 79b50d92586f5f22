// The sample load: calls of the sample functions, again and again.

import { createService, every, integer, processConfig, readVersion, runProcess, text } from '@asyncfn/service-kit';
import { sampleCalls } from './sample-calls.ts';

/** A load of calls of the sample functions in a process of its own, so that dashboards have something to show. */
const schema = {
  gatewayUrl: text({ env: 'GATEWAY_URL', default: 'http://127.0.0.1:8080', doc: 'The gateway that gets the calls.' }),
  callbackUrl: text({ env: 'CALLBACK_URL', doc: 'Where results go. Default: nowhere.' }),
  rate: integer({ env: 'RATE', default: 20, min: 1, max: 1_000, doc: 'Calls a second.' }),
  ...processConfig,
};

const roundMs = 100;

/** Runs the load until it is stopped. */
export async function run(process: NodeJS.Process): Promise<void> {
  await runProcess({
    process,
    name: 'load',
    version: readVersion(new URL('..', import.meta.url).href),
    schema,
    create: ({ gatewayUrl, callbackUrl, rate }, { logger }) => {
      const stopping = new AbortController();
      const next = sampleCalls(() => performance.now());
      const headers = callbackUrl === undefined ? undefined : { 'X-Callback-Url': callbackUrl };
      const send = async (): Promise<void> => {
        const { target, headers: own } = next();
        const answer = await fetch(`${gatewayUrl}/async-function/${target}`, {
          method: 'POST',
          headers: { ...headers, ...own },
          body: 'a call of the sample load',
          signal: AbortSignal.any([stopping.signal, AbortSignal.timeout(10_000)]),
        });
        await answer.arrayBuffer();
      };
      let owed = 0;
      const round = async (): Promise<void> => {
        owed += (rate * roundMs) / 1000;
        const due = Math.floor(owed);
        owed -= due;
        await Promise.all(Array.from({ length: due }, send));
      };
      const onError = (err: unknown): void => logger.warn({ err }, 'a call could not be sent');
      return createService({
        start() {
          void every(roundMs, round, { signal: stopping.signal, onError });
          return Promise.resolve();
        },
        stop() {
          stopping.abort();
          return Promise.resolve();
        },
      });
    },
  });
}
