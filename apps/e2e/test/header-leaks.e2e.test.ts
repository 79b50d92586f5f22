import { startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';
import { rawExchange, rawPost } from './harness/wire/raw-exchange.ts';

/** Everything in a request or a message except its body, in lower case. */
function said(rawHeaders: readonly string[]): string {
  return rawHeaders.join('\n').toLowerCase();
}

/** The values of a header. */
function valuesOf(rawHeaders: readonly string[], name: string): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === name);
}

test('headers between two of them do not reach the third: caller, function and receiver', async () => {
  await using fn = await startTestFunction({
    handler: (_, response) => {
      response.writeHead(200, [
        ...['X-Own', 'for the receiver'],
        ...['Set-Cookie', 'session=of-the-function'],
        ...['Connection', 'close, X-Hop-Of-The-Function'],
        ...['X-Hop-Of-The-Function', 'hop-secret'],
        ...['Proxy-Authenticate', 'Basic realm="hop-secret"'],
        ...['Keep-Alive', 'timeout=hop-secret'],
      ]);
      response.end('result');
    },
  });
  await using receiver = await startCallbackReceiver();
  await using stack = await startStack({ functions: { echo: fn.url } });
  const answer = await rawExchange(
    stack.gateway.url,
    rawPost('/async-function/echo', [
      'X-Call-Id: leaks',
      `X-Callback-Url: ${receiver.url.replace('//', '//caller:callback-secret@')}/hook?token=callback-secret`,
      'Authorization: Bearer gateway-secret',
      'Proxy-Authorization: Basic gateway-secret',
      'X-Function-Authorization: Bearer function-secret',
      'Connection: close, X-Hop-Of-The-Caller',
      'X-Hop-Of-The-Caller: gateway-secret',
      'TE: trailers',
      'X-Travels: yes',
    ]),
  );
  expect(answer.status).toBe(202);
  const [callback] = await receiver.waitForCallbacks(1);
  const [invocation] = fn.invocations;

  expect(valuesOf(invocation!.rawHeaders, 'authorization')).toEqual(['Bearer function-secret']);
  expect(valuesOf(invocation!.rawHeaders, 'x-travels')).toEqual(['yes']);
  expect(said(invocation!.rawHeaders)).not.toMatch(
    /gateway-secret|callback-secret|x-hop|x-callback-url|x-function-auth/,
  );

  expect(callback!.headers['x-own']).toBe('for the receiver');
  expect(valuesOf(callback!.rawHeaders, 'authorization')).toEqual([basic('caller:callback-secret')]);
  expect(said(callback!.rawHeaders)).not.toMatch(
    /gateway-secret|function-secret|hop-secret|set-cookie|session=|x-hop|x-travels/,
  );

  await stack.untilSettled();
  const outcome = await storedOutcome(stack.nats.url, 'leaks');
  expect(outcome).toMatch(/x-own/i);
  expect(outcome).not.toMatch(/gateway-secret|function-secret|hop-secret|set-cookie|session=|x-hop|x-travels/i);
});

test('a function is called at the URL in the register, whatever a request says', async () => {
  await using fn = await startTestFunction();
  await using elsewhere = await startTestFunction();
  await using stack = await startStack({ functions: { echo: fn.url } });
  const { host } = new URL(elsewhere.url);
  const targets = [
    `/async-function/echo/@${host}/`,
    `/async-function/echo/http://${host}/`,
    `/async-function/echo//${host}/`,
    `/async-function/echo?url=${elsewhere.url}`,
    `/async-function/echo/%2F%2F${host}`,
    `/async-function/echo#@${host}`,
  ];
  const headers = [
    `X-Forwarded-Host: ${host}`,
    `X-Forwarded-Proto: http`,
    `Forwarded: host=${host}`,
    `X-Original-URL: ${elsewhere.url}`,
    `X-Function-Url: ${elsewhere.url}`,
    'Connection: close',
  ];
  const answers = await Promise.all(targets.map((target) => rawExchange(stack.gateway.url, rawPost(target, headers))));
  const accepted = answers.filter(({ status }) => status === 202).length;
  expect(answers.every(({ status }) => status === 202 || status === 400)).toBe(true);
  expect(accepted).toBeGreaterThan(3);
  await fn.waitForInvocations(accepted);
  await stack.untilSettled();
  expect(new Set(fn.invocations.map((invocation) => invocation.headers.host))).toEqual(new Set([new URL(fn.url).host]));
  expect(elsewhere.invocations).toEqual([]);
});

function basic(pair: string): string {
  return `Basic ${Buffer.from(pair).toString('base64')}`;
}

/** The record of the end of a call, without the URL of its callback. */
async function storedOutcome(natsUrl: string, callId: string): Promise<string> {
  const connection = await connect({ servers: natsUrl });
  try {
    const { streams } = await jetstreamManager(connection);
    const message = await streams.getMessage('OUTCOMES', { last_by_subj: `outcomes.${callId}.*.*.0` });
    return message?.header.get('Asyncfn-Outcome') ?? '';
  } finally {
    await connection.close();
  }
}
