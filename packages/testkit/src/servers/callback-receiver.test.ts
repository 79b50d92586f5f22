import { expect, test } from 'vitest';
import { status } from '../functions/function-behaviours.ts';
import { startCallbackReceiver } from './callback-receiver.ts';

const deliver = (url: string, callId: string, body: string) =>
  fetch(url, { method: 'POST', headers: { 'X-Call-Id': callId, 'X-Function-Status': '200' }, body });

test('callbacks are answered 204 and found by their call id', async () => {
  await using receiver = await startCallbackReceiver();
  const answers = await Promise.all([
    deliver(`${receiver.url}/hooks?tenant=1`, 'a', 'one'),
    deliver(receiver.url, 'b', 'two'),
  ]);
  expect(answers.map((answer) => answer.status)).toEqual([204, 204]);
  expect(await receiver.waitForCallbacks(2)).toHaveLength(2);
  const [callback] = receiver.byCallId('a');
  expect(callback).toMatchObject({ url: '/hooks?tenant=1', headers: { 'x-function-status': '200' } });
  expect(callback!.body.toString()).toBe('one');
});

test('a receiver that is down at first records every delivery', async () => {
  await using receiver = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
  expect((await deliver(receiver.url, 'a', '')).status).toBe(500);
  expect((await deliver(receiver.url, 'a', '')).status).toBe(200);
  expect(receiver.byCallId('a')).toHaveLength(2);
});

test('a wait for callbacks that do not come ends with their number', async () => {
  await using receiver = await startCallbackReceiver();
  await expect(receiver.waitForCallbacks(1, 20)).rejects.toThrow('1 callbacks, 0 came');
});
