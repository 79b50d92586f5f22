import { setTimeout as delay } from 'node:timers/promises';
import {
  type CallbackReceiver,
  type RecordedRequest,
  startCallbackReceiver,
  startTestFunction,
  type TestFunction,
} from '@asyncfn/testkit';
import type { Recorder } from '../history/history.ts';
import { workerHeader } from '../rig.ts';
import { stepOf } from './plan.ts';

/** Header with the number of the request: it travels to the function. */
export const requestHeader = 'x-torture-request';
/** Header with what the function is to do. */
export const stepsHeader = 'x-torture-steps';

/** Ends every invocation that a client is gone for. */
const aborted = Symbol('aborted');

/**
 * The function behind every call: does what the call's plan says, and records what it sees. Its answer names the
 * invocation, so that two results of one call can be told apart.
 */
export async function startCallee(history: Recorder): Promise<TestFunction> {
  let invocations = 0;
  return await startTestFunction({
    keepBodies: false,
    keepRequests: false,
    handler: async (request, response) => {
      invocations += 1;
      const invocation = invocations;
      const number = Number(headerOf(request, requestHeader));
      const retry = Number(headerOf(request, 'x-retry'));
      const { status, delayMs } = stepOf(headerOf(request, stepsHeader), retry);
      const worker = headerOf(request, workerHeader);
      history.record({ kind: 'invoked', request: number, invocation, callId: request.callId ?? '', retry, worker });
      const end = await delay(delayMs, undefined, { signal: request.signal }).catch(() => aborted);
      if (end === aborted) {
        history.record({ kind: 'returned', request: number, invocation });
        return;
      }
      history.record({ kind: 'returned', request: number, invocation, status });
      response.writeHead(status).end(`${number}:${retry}:${invocation}`);
    },
  });
}

/** Receives the callbacks; refuses the first delivery of those that are flaky. */
export async function startInbox(history: Recorder): Promise<CallbackReceiver> {
  const refused = new Set<number>();
  return await startCallbackReceiver({
    keepRequests: false,
    respond: (request, response) => {
      const [, kind, number] = /^\/(steady|flaky)\/(\d+)$/.exec(request.url) ?? [];
      const key = Number(number);
      const status = kind === 'flaky' && !refused.has(key) ? 500 : 204;
      refused.add(key);
      history.record({
        kind: 'called back',
        request: key,
        webhookId: headerOf(request, 'webhook-id'),
        functionStatus: Number(headerOf(request, 'x-function-status')),
        retry: Number(headerOf(request, 'x-retry')),
        content: `${headerOf(request, 'x-duration-seconds')} ${request.body.toString()}`,
        status,
      });
      response.writeHead(status).end();
    },
  });
}

function headerOf({ headers }: RecordedRequest, name: string): string {
  return String(headers[name] ?? '');
}
