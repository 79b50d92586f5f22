import { setTimeout as delay } from 'node:timers/promises';
import { startTestFunction, type TestFunction } from '@asyncfn/testkit';
import type { Recorder } from '../history/index.ts';
import { stepOf } from '../plan.ts';
import { workerHeader } from '../rig/index.ts';
import { hasBodyOf, largeBytes } from './body.ts';
import { headerOf } from './header-of.ts';
import { formatResult } from './result.ts';

/** Header with the number of the request: it travels to the function. */
export const requestHeader = 'x-torture-request';
/** Header that tells the function what to do. */
export const stepsHeader = 'x-torture-steps';

/** Ends every invocation whose client has gone. */
const aborted = Symbol('aborted');

/** The function behind every call: does what the call's plan says, and records each invocation. */
export async function startCallee(history: Recorder): Promise<TestFunction> {
  let invocations = 0;
  return await startTestFunction({
    keepBodies: false,
    keepRequests: false,
    handler: async (request, response) => {
      invocations += 1;
      const invocation = invocations;
      const [, step, ofChain] = /^\/step\/(\d+)\?(\d+)$/.exec(request.url) ?? [];
      if (step !== undefined) {
        // The headers of the first call of a chain do not travel, so the path carries the number of its request.
        const content = request.body.toString();
        const of = { request: Number(ofChain), step: Number(step), stepId: request.callId ?? '', content };
        history.record({ kind: 'stepped', ...of, worker: headerOf(request, workerHeader) });
        await delay(10);
        response.end(content);
        return;
      }
      const number = Number(headerOf(request, requestHeader));
      const retry = Number(headerOf(request, 'x-retry'));
      const { status, delayMs } = stepOf(headerOf(request, stepsHeader), retry);
      const worker = headerOf(request, workerHeader);
      const startTime = headerOf(request, 'x-start-time');
      const callId = request.callId ?? '';
      if (!hasBodyOf(number, request.body)) {
        throw new Error(`call ${callId} has come with another body than it was sent with`);
      }
      history.record({ kind: 'invoked', request: number, invocation, callId, startTime, retry, worker });
      const end = await delay(delayMs, undefined, { signal: request.signal }).catch(() => aborted);
      if (end === aborted) {
        history.record({ kind: 'returned', request: number, invocation });
        return;
      }
      history.record({ kind: 'returned', request: number, invocation, status });
      const padding = request.body.length > largeBytes ? `:${'x'.repeat(largeBytes)}` : '';
      response.writeHead(status).end(`${formatResult({ request: number, retry, invocation })}${padding}`);
    },
  });
}
