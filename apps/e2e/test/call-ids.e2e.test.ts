import { createHash, randomBytes } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, type Stack } from '@asyncfn/stack';
import {
  eventually,
  type RequestHandler,
  startCallbackReceiver,
  startTestFunction,
  status,
  type TestFunction,
} from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

const quick = { attempts: 3, minWait: '100ms', maxWait: '100ms', backoff: 'exponential' };

/** Fails once for each body, and then returns it. */
function echoAtTheSecondTry(): RequestHandler {
  const seen = new Set<string>();
  return ({ body }, response) => {
    const text = body.toString();
    const isFirst = !seen.has(text);
    seen.add(text);
    response.writeHead(isFirst ? 503 : 200).end(`result of ${text}`);
  };
}

/** A gateway with tokens, and the headers that each of these callers sends. */
async function startGuarded(stack: Stack, scopes: Readonly<Record<string, string>>) {
  const secrets = new Map(Object.keys(scopes).map((name) => [name, randomBytes(32).toString('base64url')]));
  const tokens = Object.entries(scopes).map(([name, scope]) => {
    const hash = createHash('sha256')
      .update(secrets.get(name) ?? '')
      .digest('hex');
    return [name, { hash: `sha256:${hash}`, scopes: [scope] }];
  });
  const file = join(stack.folder, 'tokens.json');
  await writeFile(file, JSON.stringify({ tokens: Object.fromEntries(tokens) }));
  const { url } = await stack.startGateway({ AUTH_TOKENS_FILE: file });
  return {
    url,
    as: (name: string) => ({ Authorization: `Bearer ${secrets.get(name)}` }),
    async ask(name: string, path: string, method: 'GET' | 'DELETE' = 'GET') {
      const answer = await fetch(`${url}/async-function/${path}`, { method, headers: this.as(name) });
      return { status: answer.status, text: await answer.text() };
    },
  };
}

describe('an id belongs to its submitter', () => {
  test('two submitters with the same id do not learn of each other, and each has a call with a result of its own', async () => {
    await using fn = await startTestFunction({ handler: echoAtTheSecondTry() });
    await using inboxOfA = await startCallbackReceiver();
    await using inboxOfB = await startCallbackReceiver();
    await using stack = await startStack({
      functions: { one: { url: fn.url, retry: quick }, other: { url: fn.url, retry: quick, queue: 'other' } },
      gateways: 0,
    });
    const gateway = await startGuarded(stack, { a: 'invoke', 'b.two': 'invoke', c: 'invoke', root: 'admin' });
    await using client = new ApiClient(gateway.url);
    const send = (name: string, fnName: string, callbackUrl: string) =>
      client.call(fnName, { headers: { ...gateway.as(name), 'X-Call-Id': 'order-1' }, body: name, callbackUrl });

    // One of them in the same queue, so that they are not told apart by chance, by the stream or by the memory of a
    // worker.
    const answers = await Promise.all([send('a', 'one', inboxOfA.url), send('b.two', 'one', inboxOfB.url)]);
    expect(answers.map(({ status: code, callId }) => [code, callId])).toEqual([
      [202, 'order-1'],
      [202, 'order-1'],
    ]);
    await Promise.all([inboxOfA.waitForCallbacks(1), inboxOfB.waitForCallbacks(1)]);
    expect(
      fn.invocations.map(({ body, callId, headers }) => `${body} ${callId} ${headers['x-retry']}`).toSorted(),
    ).toEqual(['a order-1 0', 'a order-1 1', 'b.two order-1 0', 'b.two order-1 1']);
    expect(inboxOfA.callbacks.map(({ body }) => body.toString())).toEqual(['result of a']);
    expect(inboxOfB.callbacks.map(({ body }) => body.toString())).toEqual(['result of b.two']);

    expect(await gateway.ask('a', 'order-1/result')).toEqual({ status: 200, text: 'result of a' });
    expect(await gateway.ask('b.two', 'order-1/result')).toEqual({ status: 200, text: 'result of b.two' });
    expect((await gateway.ask('c', 'order-1')).status).toBe(404);
    expect(await gateway.ask('root', 'order-1/result?submitter=a')).toEqual({ status: 200, text: 'result of a' });
    expect(await gateway.ask('root', 'order-1/result?submitter=b.two')).toMatchObject({ text: 'result of b.two' });
    expect(JSON.parse((await gateway.ask('root', 'order-1')).text)).toMatchObject({ callId: 'order-1', attempts: 2 });
    // An id of one's own that is known is refused, in any queue.
    expect((await send('a', 'other', inboxOfA.url)).code).toBe('call_id_conflict');
    expect((await send('c', 'other', inboxOfA.url)).status).toBe(202);
  });

  test('a submitter that cancels a call cancels its own', async () => {
    await using stack = await startStack({ functions: { one: 'http://127.0.0.1:9' }, gateways: 0, workers: 0 });
    const gateway = await startGuarded(stack, { a: 'invoke', b: 'invoke' });
    await using client = new ApiClient(gateway.url);
    for (const name of ['a', 'b']) {
      await client.accept('one', { headers: { ...gateway.as(name), 'X-Call-Id': 'order-1' } });
    }
    expect((await gateway.ask('a', 'order-1', 'DELETE')).status).toBe(202);
    expect(JSON.parse((await gateway.ask('a', 'order-1')).text)).toMatchObject({ status: 'cancelled' });
    expect(JSON.parse((await gateway.ask('b', 'order-1')).text)).toMatchObject({ status: 'queued' });
  });
});

/** Does at once what time does: claims of ids are forgotten before the ends of their calls. */
async function forgetEnds(stack: Stack): Promise<void> {
  // An end is stored before the message of its call is removed.
  await stack.untilSettled();
  const connection = await connect({ servers: stack.nats.url });
  const { streams } = await jetstreamManager(connection);
  await streams.purge('OUTCOMES');
  await streams.purge('EXPIRIES', { filter: 'claims.>' });
  await connection.close();
}

describe('when the end of a call is forgotten, the next call of its id is another one', () => {
  test('that is invoked, although the first one has expired', async () => {
    await using fn = await startTestFunction();
    await using stack = await startStack({ functions: { one: fn.url } });
    await using client = new ApiClient(stack.gateway.url);
    const send = (expiresIn: string, more = {}) =>
      client.accept('one', { headers: { 'X-Call-Id': 'order-1', 'X-Expires-In': expiresIn, ...more } });
    await send('100ms', { 'X-Delay': '1h' });
    await eventually(async () => (await stateOf(stack, 'order-1')) === 'expired');
    await forgetEnds(stack);
    await send('1h');
    await eventually(async () => (await stateOf(stack, 'order-1')) === 'succeeded');
    expect(fn.invocations).toHaveLength(1);
  });

  test('whose callback comes, although that of the first one still waits for its receiver', async () => {
    await using fn = await startTestFunction({
      handler: ({ body }, response) => void response.end(`result of ${body}`),
    });
    await using inbox = await startCallbackReceiver({ respond: status(500) });
    await using stack = await startStack({
      functions: { one: { url: fn.url, concurrency: 2 } },
      workerEnv: { CALLBACK_RETRY_SCHEDULE: Array.from({ length: 100 }, () => '300ms').join(',') },
    });
    await using client = new ApiClient(stack.gateway.url);
    const send = (body: string) =>
      client.accept('one', { headers: { 'X-Call-Id': 'order-1' }, body, callbackUrl: inbox.url });
    await send('first');
    await inbox.waitForCallbacks(2);
    await forgetEnds(stack);
    await send('second');
    await eventually(() => told(inbox.callbacks, 'second') > 0);
    const [first, second] = ['first', 'second'].map((body) => told(inbox.callbacks, body));
    await eventually(
      () => told(inbox.callbacks, 'first') > (first ?? 0) && told(inbox.callbacks, 'second') > (second ?? 0),
    );
  });
});

function told(callbacks: TestFunction['invocations'], body: string): number {
  return callbacks.filter((callback) => callback.body.toString() === `result of ${body}`).length;
}

async function stateOf({ gateway }: Stack, callId: string): Promise<string | undefined> {
  const answer = await fetch(`${gateway.url}/async-function/${callId}`);
  return ((await answer.json()) as { status?: string }).status;
}
