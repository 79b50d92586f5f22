import { createHash } from 'node:crypto';
import { ApiClient } from '@asyncfn/stack';
import { hash, integerBelow, type Random, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect } from 'vitest';
import { randomBody, randomHeaders, randomTarget, seededRandom } from './random-calls.ts';
import { startStack } from './stack.ts';

const clients = 50;
const maxBodyBytes = 256 * 1024;

interface SentCall {
  readonly callId: string;
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly digest: string;
}

/**
 * This many calls with random targets, headers and bodies: each is invoked once, as it was sent, and its result comes
 * back.
 */
export async function sendAnyBytes(calls: number): Promise<void> {
  const random = seededRandom();
  await using fn = await startTestFunction({ handler: hash, keepBodies: false });
  const digests = new Map<string, string>();
  await using inbox = await startCallbackReceiver({
    keepBodies: false,
    respond: (request, response) => {
      digests.set(request.url, request.body.toString('latin1'));
      response.writeHead(204).end();
    },
  });
  await using stack = await startStack({ functions: { hash: fn.url } });
  await using client = new ApiClient(stack.gateway.url, clients);

  const sent: SentCall[] = [];
  let begun = 0;
  const send = async (): Promise<void> => {
    while (begun < calls) {
      sent.push(await sendOne(client, random, `${inbox.url}/${begun++}`));
    }
  };
  await Promise.all(Array.from({ length: clients }, send));
  await inbox.waitForCallbacks(calls);
  await stack.untilSettled();

  expect(new Set(sent.map(({ callId }) => callId)).size).toBe(calls);
  expect(fn.invocations).toHaveLength(calls);
  expect(inbox.callbacks).toHaveLength(calls);
  for (const { callId, target, headers, digest } of sent) {
    const [invocation, ...furtherInvocations] = fn.byCallId(callId);
    const [callback, ...furtherCallbacks] = inbox.byCallId(callId);
    expect([...furtherInvocations, ...furtherCallbacks]).toEqual([]);
    expect(invocation?.method).toBe('POST');
    expect(invocation?.url).toBe(target.startsWith('/') ? target : `/${target}`);
    expect(pairs(invocation?.rawHeaders)).toEqual(expect.arrayContaining(Object.entries(headers)));
    expect(callback?.headers['x-function-status']).toBe('200');
    expect(digests.get(callback?.url ?? '')).toBe(digest);
  }
  // No warnings of Node, such as a leak of listeners.
  expect([...stack.gateway.stderr, ...stack.worker.stderr]).toEqual([]);
}

async function sendOne(client: ApiClient, random: Random, callbackUrl: string): Promise<SentCall> {
  // Small bodies are as likely as large ones: most faults show at the edges.
  const body = randomBody(random, random() < 0.2 ? integerBelow(random, 16) : maxBodyBytes);
  const target = randomTarget(random);
  const headers = randomHeaders(random, 8);
  const callId = await client.accept('hash', { target, headers, body, callbackUrl });
  return { callId, target, headers, digest: createHash('sha256').update(body).digest('hex') };
}

function pairs(rawHeaders: readonly string[] = []): [string | undefined, string | undefined][] {
  return rawHeaders.filter((_, index) => index % 2 === 0).map((name, index) => [name, rawHeaders[2 * index + 1]]);
}
