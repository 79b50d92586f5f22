import { request } from 'undici';
import { expect, test } from 'vitest';
import { startTestGateway } from './gateway-fixture.ts';
import { exchange, post } from './raw-client.ts';

const secret = 's3cr3t';

test('bodies, header values, paths and queries never appear in logs, metrics or error texts', async () => {
  await using gateway = await startTestGateway({ maxBodyBytes: 100 });
  const send = async (path: string, headers: Record<string, string>, body = secret) => {
    const answer = await request(`${gateway.url}${path}`, { method: 'POST', headers, body });
    return [JSON.stringify(answer.headers), await answer.body.text()];
  };
  const answers = [
    await send(`/async-function/echo/${secret}?${secret}`, { [`X-${secret}`]: secret, Authorization: secret }),
    await send(`/async-function/echo`, { 'X-Callback-Url': secret }),
    await send(`/async-function/echo`, { 'X-Call-Id': `${secret}.` }),
    await send(`/async-function/echo`, { 'Idempotency-Key': secret }),
    await send(`/async-function/echo`, { 'X-Label': secret }),
    await send(`/async-function/echo`, { 'X-Label': `${secret}!` }),
    await send(`/async-function/echo`, { 'X-Max-Retries': secret }),
    await send(`/async-function/echo`, { 'X-Timeout': secret }),
    await send(`/async-function/echo`, { 'X-Delay': secret }),
    await send(`/async-function/echo`, { 'X-Not-Before': secret }),
    await send(`/async-function/echo`, { 'X-Expires-In': secret }),
    await send(`/async-function/echo`, { 'Idempotency-Key': `${secret} ${secret}` }),
    await send(`/async-function/echo`, { 'X-Function-Authorization': secret, traceparent: secret, tracestate: secret }),
    await send(`/async-function/echo`, { 'X-Callback-Url': `https://user:${secret}@10.1.2.3/?token=${secret}` }),
    await send(`/async-function/${secret}`, {}),
    await send(`/async-function/${secret}.a.b`, {}),
    await send(`/async-function/echo/../${secret}`, {}),
    await send(`/${secret}`, {}),
    await send(`/%zz${secret}`, {}),
    await send(`/async-function/echo`, {}, secret.repeat(100)),
    [await exchange(gateway.port, post(`/${secret}\0`))],
  ];
  gateway.queue.answer = () => ({ kind: 'refused', reason: 'queue_full', detail: 'maximum bytes exceeded' });
  answers.push(await send(`/async-function/echo?${secret}`, { Cookie: secret }));
  gateway.queue.answer = () => Promise.reject(new Error('no secret here'));
  answers.push(await send(`/async-function/echo?${secret}`, { Cookie: secret }));
  expect(gateway.logs.length).toBeGreaterThanOrEqual(answers.length);
  expect(JSON.stringify(answers)).not.toContain(secret);
  expect(JSON.stringify(gateway.logs)).not.toContain(secret);
  expect(await gateway.registry.metrics()).not.toContain(secret);
});

test('an accepted call is one line of the log', async () => {
  await using gateway = await startTestGateway();
  await (await request(`${gateway.url}/async-function/echo`, { method: 'POST', body: 'hello' })).body.dump();
  const { call } = gateway.queue.accepted[0]!;
  expect(gateway.logs).toEqual([
    {
      level: 'info',
      time: expect.any(Number),
      name: 'gateway',
      msg: 'call accepted',
      callId: call.id,
      function: 'echo',
      queue: 'default',
      bytes: 5,
      durationMs: expect.any(Number),
    },
  ]);
});

test('a refused call is one line of the log, with its code, and its function only if that is registered', async () => {
  await using gateway = await startTestGateway();
  gateway.queue.available = false;
  for (const name of ['echo', 'unknown']) {
    await (await request(`${gateway.url}/async-function/${name}`, { method: 'POST' })).body.dump();
  }
  expect(gateway.logs).toMatchObject([
    { level: 'warn', msg: 'request refused', code: 'broker_unavailable', function: 'echo' },
    { level: 'info', msg: 'request refused', code: 'unknown_function' },
  ]);
  expect(gateway.logs[1]).not.toHaveProperty('function');
});

test('a call that the queue refused is one line of the log, with the reason of the queue', async () => {
  await using gateway = await startTestGateway();
  gateway.queue.answer = () => ({ kind: 'refused', reason: 'unavailable', detail: 'stream CALLS_q exists otherwise' });
  await (await request(`${gateway.url}/async-function/echo`, { method: 'POST' })).body.dump();
  expect(gateway.logs).toMatchObject([
    { level: 'warn', msg: 'request refused', code: 'broker_unavailable', reason: 'stream CALLS_q exists otherwise' },
  ]);
});
