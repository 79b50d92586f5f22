import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, startCallbackReceiver, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { expect } from 'vitest';

/** Settings with short waits. */
export const quick = { CALLBACK_RETRY_SCHEDULE: '300ms,300ms', RETRY_MIN_WAIT: '300ms', ACK_WAIT: '2s' };

export async function post(url: string, headers: Record<string, string> = {}): Promise<Response> {
  return await fetch(url, { method: 'POST', headers });
}

/** Makes calls that use every kind of record, and waits for their ends. */
export async function useEverything(stack: Stack): Promise<void> {
  await using echo = await startTestFunction();
  await using flaky = await startTestFunction({ handler: status(503, { times: 1 }) });
  await using broken = await startTestFunction({ handler: status(400) });
  await using receiver = await startCallbackReceiver({ respond: status(500, { times: 1 }) });
  const { url } = stack.gateway;
  await using client = new ApiClient(url);
  await using calls = new CallClient(url);
  const functions = `${url}/system/functions`;
  const headers = { 'Content-Type': 'application/json' };
  for (const [name, target] of Object.entries({ echo, flaky, broken, still: echo })) {
    const body = JSON.stringify({ url: target.url, ...(name === 'flaky' && { rate: '100/1s' }) });
    expect((await fetch(`${functions}/${name}`, { method: 'PUT', headers, body })).ok).toBe(true);
  }
  await client.acceptMany('echo', 5, { callbackUrl: receiver.url });
  await receiver.waitForCallbacks(6); // the first of them was retried
  await client.acceptMany('flaky', 1);
  await flaky.waitForInvocations(2);

  expect((await post(`${url}/async-function/broken`, { 'X-Call-Id': 'rejected' })).status).toBe(202);
  await calls.until('rejected', 'failed');
  const letters = `${url}/system/dead-letters`;
  await eventually(async () => (await fetch(`${letters}/rejected`)).ok);
  expect(await (await fetch(letters)).json()).toMatchObject({ deadLetters: [{ callId: 'rejected' }] });
  expect((await post(`${letters}/rejected/replay`)).status).toBe(202);
  await broken.waitForInvocations(2);

  expect((await post(`${functions}/still/pause`)).ok).toBe(true);
  const [kept, dropped] = await client.acceptMany('still', 2);
  expect(await calls.ask(dropped!, '', 'DELETE')).toMatchObject({ status: 202 });
  expect((await post(`${functions}/still/resume`)).ok).toBe(true);
  await calls.until(kept!, 'succeeded');
  expect((await post(`${url}/async-function/still`, { 'X-Delay': '1s', 'X-Call-Id': 'later' })).status).toBe(202);
  await calls.until('later', 'succeeded');
  await stack.untilSettled();
  const { processes } = (await (await fetch(`${url}/system/processes`)).json()) as { processes: { kind: string }[] };
  const kinds = processes.map(({ kind }) => kind);
  expect(kinds).toEqual(expect.arrayContaining(['gateway', 'worker']));
  const once = { 'Idempotency-Key': 'one', 'X-Expires-In': '1m' };
  const answers = [await post(`${url}/async-function/echo`, once), await post(`${url}/async-function/echo`, once)];
  expect(answers.map((answer) => answer.headers.get('idempotency-replayed'))).toEqual([null, 'true']);
  await useSchedule(url, echo);
  // Its function is gone when this returns.
  await calls.until(answers[0]!.headers.get('x-call-id')!, 'succeeded');
}

/** A schedule that makes some calls of `echo`, is triggered, paused, resumed and removed. */
export async function useSchedule(url: string, echo: TestFunction): Promise<void> {
  const schedule = `${url}/system/schedules/tick`;
  const body = JSON.stringify({ function: 'echo', every: '1s', overlap: 'queue' });
  expect((await fetch(schedule, { method: 'PUT', body })).status).toBe(201);
  await eventually(() => echo.invocations.filter(({ headers }) => headers['x-schedule-name'] === 'tick').length >= 2);
  for (const [order, status] of [
    ['trigger', 202],
    ['pause', 200],
    ['resume', 200],
  ] as const) {
    expect((await post(`${schedule}/${order}`)).status).toBe(status);
  }
  expect((await fetch(schedule, { method: 'DELETE' })).status).toBe(204);
}
