import { once } from 'node:events';
import { eventually } from '@asyncfn/testkit';
import { type Dispatcher, request } from 'undici';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { activeCall, endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
  gateway.calls.states.set('call-1', activeCall('call-1', 'queued'));
});

afterEach(() => gateway[Symbol.asyncDispose]());

async function ask(query: string) {
  const { statusCode, body } = await request(`${gateway.url}/async-function/call-1${query}`);
  return { status: statusCode, body: (await body.json()) as Record<string, unknown> };
}

describe('a client that waits', () => {
  test('is answered when the call ends, and not when its state changes', async () => {
    const answer = ask('?wait=1m');
    await eventually(() => gateway.watches.count === 1);
    expect(gateway.watches.scopes).toEqual(['end']);
    gateway.calls.states.set('call-1', activeCall('call-1', 'running'));
    gateway.watches.hear();
    gateway.calls.states.set('call-1', endedCall('call-1'));
    gateway.watches.hear();
    expect(await answer).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect(gateway.watches.count).toBe(0);
  });

  test('is answered with the current state when its time is up', async () => {
    expect(await ask('?wait=50ms')).toMatchObject({ status: 200, body: { status: 'queued' } });
    expect(gateway.watches.count).toBe(0);
  });

  test('does not wait if the call has ended', async () => {
    gateway.calls.states.set('call-1', endedCall('call-1'));
    expect(await ask('?wait=5m')).toMatchObject({ status: 200, body: { status: 'succeeded' } });
    expect(gateway.watches.scopes).toEqual([]);
  });

  test('is answered with the current state when the gateway stops', async () => {
    const answer = ask('?wait=5m');
    await eventually(() => gateway.watches.count === 1);
    gateway.stopping.abort();
    expect(await answer).toMatchObject({ status: 200, body: { status: 'queued' } });
  });

  test('and goes away is forgotten', async () => {
    const gone = new AbortController();
    const answer = request(`${gateway.url}/async-function/call-1?wait=5m`, { signal: gone.signal });
    await eventually(() => gateway.watches.count === 1);
    gone.abort();
    await expect(answer).rejects.toThrow();
    await eventually(() => gateway.watches.count === 0);
  });

  test.each(['', '5', '-1s', '5m1s', '1h', 'soon', '5%20s'])('for "%s" is refused', async (wait) => {
    expect(await ask(`?wait=${wait}`)).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } });
  });

  test('is told of an unknown parameter', async () => {
    expect(await ask('?wiat=5s')).toMatchObject({ status: 400, body: { code: 'invalid_parameter' } });
  });
});

interface Events {
  readonly answer: Dispatcher.ResponseData;
  readonly text: () => string;
}

async function follow(signal?: AbortSignal): Promise<Events> {
  const headers = { accept: 'text/html, text/event-stream;q=0.9' };
  const answer = await request(`${gateway.url}/async-function/call-1`, { headers, ...(signal && { signal }) });
  let text = '';
  answer.body.on('error', () => {});
  answer.body.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return { answer, text: () => text };
}

function statusesIn(text: string): unknown[] {
  const events = text.split('\n\n').filter((each) => each !== '');
  return events.map((each) => {
    const [, data = ''] = /^event: state\ndata: (.*)$/.exec(each) ?? [];
    return (JSON.parse(data) as { status: string }).status;
  });
}

describe('a client that wants events', () => {
  test('gets one for each state, until the end', async () => {
    const { answer, text } = await follow();
    expect(answer.statusCode).toBe(200);
    expect(answer.headers).toMatchObject({ 'content-type': 'text/event-stream', 'cache-control': 'private, no-store' });
    await eventually(() => statusesIn(text()).length === 1);
    gateway.watches.hear();
    gateway.calls.states.set('call-1', activeCall('call-1', 'running'));
    gateway.watches.hear();
    await eventually(() => statusesIn(text()).length === 2);
    gateway.calls.error = new Error('an outage');
    gateway.watches.hear();
    gateway.calls.states.set('call-1', endedCall('call-1'));
    gateway.calls.error = undefined;
    gateway.watches.hear();
    await once(answer.body, 'end');
    expect(statusesIn(text())).toEqual(['queued', 'running', 'succeeded']);
    expect(gateway.watches.scopes).toEqual(['changes']);
    await eventually(() => gateway.watches.count === 0);
  });

  test('has its stream of events ended when the gateway stops', async () => {
    const { answer } = await follow();
    await eventually(() => gateway.watches.count === 1);
    gateway.stopping.abort();
    await once(answer.body, 'end');
    await eventually(() => gateway.watches.count === 0);
  });

  test('and goes away is forgotten', async () => {
    const gone = new AbortController();
    await follow(gone.signal);
    await eventually(() => gateway.watches.count === 1);
    gone.abort();
    await eventually(() => gateway.watches.count === 0);
  });

  test('of an unknown call is refused', async () => {
    gateway.calls.states.clear();
    const { answer } = await follow();
    expect(answer.statusCode).toBe(404);
  });
});

describe('a cancel', () => {
  async function cancel(callId = 'call-1') {
    const { statusCode, headers, body } = await request(`${gateway.url}/async-function/${callId}`, {
      method: 'DELETE',
    });
    return { status: statusCode, headers, body: (await body.json()) as Record<string, unknown> };
  }

  test('in time is 202 with the state', async () => {
    gateway.canceller.result = { kind: 'cancelled', call: endedCall('call-1', { status: 'cancelled' }) };
    const { bodyBudget } = gateway.app;
    const used: number[] = [];
    gateway.canceller.whenHeld = (hold) => {
      using held = hold(1_000);
      used.push(held === undefined ? 0 : bodyBudget.usedBytes);
    };
    expect(await cancel()).toMatchObject({ status: 202, body: { callId: 'call-1', status: 'cancelled' } });
    expect(gateway.canceller.asked).toEqual(['call-1']);
    // Its body counts among those that the gateway holds, for as long as it is held.
    expect([...used, bodyBudget.usedBytes]).toEqual([1_000, 0]);
  });

  test('that comes too late is 409 and says how the call has ended', async () => {
    gateway.canceller.result = { kind: 'ended', call: endedCall('call-1') };
    const call = { callId: 'call-1', status: 'succeeded' };
    expect(await cancel()).toMatchObject({ status: 409, body: { code: 'already_ended', status: 409, call } });
  });

  test.each(['call-1', 'echo.prod', '%zz'])('of %s, which is not a known call, is 404', async (callId) => {
    expect(await cancel(callId)).toMatchObject({ status: 404, body: { code: 'call_not_found' } });
  });

  test('without a confirmation is 503', async () => {
    gateway.canceller.result = { kind: 'refused', reason: 'timeout', detail: 's3cr3t' };
    const answer = await cancel();
    expect(answer).toMatchObject({ status: 503, headers: { 'retry-after': '5' }, body: { code: 'broker_timeout' } });
    expect(JSON.stringify(answer.body)).not.toContain('s3cr3t');
  });
});
