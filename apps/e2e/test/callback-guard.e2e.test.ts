import { eventually, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startStack } from './harness/stack.ts';

test('by default a call whose result would go to this machine is refused, and the receiver hears nothing', async () => {
  await using receiver = await startCallbackReceiver();
  await using echo = await startTestFunction();
  await using stack = await startStack({ functions: { echo: echo.url }, env: { CALLBACK_ALLOW: '' } });
  for (const host of ['127.0.0.1', 'localhost', '2130706433', '[::ffff:127.0.0.1]']) {
    const headers = { 'X-Callback-Url': `http://${host}:${receiver.port}/` };
    const response = await fetch(`${stack.gateway.url}/async-function/echo`, { method: 'POST', headers });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'callback_not_allowed' });
  }
  expect(echo.invocations).toEqual([]);
  expect(receiver.callbacks).toEqual([]);
});

test('a callback that only the worker can check is a dead letter at once', async () => {
  await using receiver = await startCallbackReceiver();
  await using echo = await startTestFunction();
  await using stack = await startStack({ functions: { echo: echo.url }, workerEnv: { CALLBACK_ALLOW: '' } });
  const headers = { 'X-Callback-Url': `http://localhost:${receiver.port}/`, 'X-Call-Id': 'guarded' };
  const response = await fetch(`${stack.gateway.url}/async-function/echo`, { method: 'POST', headers });
  expect(response.status).toBe(202);
  const letter = await eventually(async () => {
    const answer = await fetch(`${stack.gateway.url}/system/dead-letters/guarded`);
    return answer.ok && answer.json();
  });
  expect(letter).toMatchObject({ reason: 'callback_undeliverable', attempts: 1 });
  expect(echo.invocations).toHaveLength(1);
  expect(receiver.callbacks).toEqual([]);
});
