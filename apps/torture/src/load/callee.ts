import { setTimeout as delay } from 'node:timers/promises';
import { startTestFunction, type TestFunction } from '@asyncfn/testkit';
import type { Recorder } from '../history/index.ts';
import { stepOf } from '../plan.ts';
import { workerHeader } from '../rig/index.ts';
import { headerOf } from './header-of.ts';
import { formatResult } from './result.ts';

/** Header with the number of the request: it travels to the function. */
export const requestHeader = 'x-torture-request';
/** Header with what the function is to do. */
export const stepsHeader = 'x-torture-steps';

/** Ends every invocation that a client is gone for. */
const aborted = Symbol('aborted');

/** The function behind every call: does what the call's plan says, and records what it sees. */
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
        // The headers of the first call of a chain do not travel: the number of its request stands in the path.
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
      history.record({ kind: 'invoked', request: number, invocation, callId, startTime, retry, worker });
      const end = await delay(delayMs, undefined, { signal: request.signal }).catch(() => aborted);
      if (end === aborted) {
        history.record({ kind: 'returned', request: number, invocation });
        return;
      }
      history.record({ kind: 'returned', request: number, invocation, status });
      response.writeHead(status).end(formatResult({ request: number, retry, invocation }));
    },
  });
}
