import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { BodyBudget } from '../src/http/body-budget.ts';
import { endedCall } from './call-fixture.ts';
import { startTestGateway } from './gateway-fixture.ts';
import { RawClient } from './raw-client.ts';

const mebibyte = 1024 * 1024;
/** More than the system buffers for a connection that is not read. */
const large = 'x'.repeat(16 * mebibyte);
const ask = (callId: string) => `GET /async-function/${callId}/result HTTP/1.1\r\nHost: g\r\n\r\n`;

test('a result without room is 503, small ones have room, and a client that does not read is given up for others', async () => {
  const clock = { now: 0 };
  const budget = new BodyBudget({ limitBytes: 24 * mebibyte, now: () => clock.now });
  await using gateway = await startTestGateway({ resultBudget: budget });
  gateway.calls.states.set('call-1', endedCall('call-1', {}, large));
  gateway.calls.states.set('small', endedCall('small'));
  const url = `${gateway.url}/async-function/call-1/result`;
  await using slow = await RawClient.connect(gateway.port);
  slow.socket.pause();
  slow.send(ask('call-1'));
  await eventually(() => budget.usedBytes === large.length);

  const refused = await request(url);
  expect([refused.statusCode, refused.headers['retry-after']]).toEqual([503, '1']);
  expect(await refused.body.json()).toMatchObject({ code: 'overloaded', status: 503 });
  const small = await request(`${gateway.url}/async-function/small/result`);
  expect([small.statusCode, await small.body.text()]).toEqual([200, 'the result']);

  clock.now = 6_000;
  const { statusCode, headers, body } = await request(url);
  expect([statusCode, headers['content-length']]).toEqual([200, String(large.length)]);
  expect(await body.text()).toBe(large);
  await eventually(() => budget.usedBytes === 0);
  slow.socket.resume();
  await slow.closed();
  expect(slow.received.length).toBeLessThan(large.length);
  expect(gateway.logs.some(({ msg }) => String(msg).startsWith('result aborted'))).toBe(true);
});

test('the room of a result is given back when its client leaves', async () => {
  const budget = new BodyBudget({ limitBytes: 24 * mebibyte });
  await using gateway = await startTestGateway({ resultBudget: budget });
  gateway.calls.states.set('call-1', endedCall('call-1', {}, large));
  await using client = await RawClient.connect(gateway.port);
  client.socket.pause();
  client.send(ask('call-1'));
  await eventually(() => budget.usedBytes === large.length);
  client.socket.resetAndDestroy();
  await eventually(() => budget.usedBytes === 0);
});

test('a HEAD of a large result says its length and holds nothing', async () => {
  const budget = new BodyBudget({ limitBytes: 24 * mebibyte });
  await using gateway = await startTestGateway({ resultBudget: budget });
  gateway.calls.states.set('call-1', endedCall('call-1', {}, large));
  const { statusCode, headers } = await request(`${gateway.url}/async-function/call-1/result`, { method: 'HEAD' });
  expect([statusCode, headers['content-length']]).toEqual([200, String(large.length)]);
  await eventually(() => budget.usedBytes === 0);
});

test('results of a batch without room are 503, and a client that does not read them is given up for others', async () => {
  const clock = { now: 0 };
  const budget = new BodyBudget({ limitBytes: 24 * mebibyte, now: () => clock.now });
  await using gateway = await startTestGateway({ resultBudget: budget });
  gateway.calls.states.set('batch-0', endedCall('batch-0', {}, large));
  const created = { v: 1, batchId: 'batch', startTime: '1700000000000000000', createdAt: 17, refused: 0 } as const;
  gateway.batches.states.set('batch', { ...created, phase: 'sealed', parts: 1, total: 1 });
  gateway.batches.items.set('batch/0', [{ callId: 'batch-0', function: 'echo', queue: 'default' }]);
  const url = `${gateway.url}/async-batch/batch/results`;
  await using slow = await RawClient.connect(gateway.port);
  slow.socket.pause();
  slow.send('GET /async-batch/batch/results HTTP/1.1\r\nHost: g\r\n\r\n');
  await eventually(() => budget.usedBytes > large.length);

  const refused = await request(url);
  const { 'retry-after': again, 'content-type': type } = refused.headers;
  expect([refused.statusCode, again, type]).toEqual([503, '1', expect.stringContaining('application/problem+json')]);
  expect(await refused.body.json()).toMatchObject({ code: 'overloaded', status: 503 });

  clock.now = 6_000;
  const { statusCode, body } = await request(url);
  expect(statusCode).toBe(200);
  expect(await body.json()).toMatchObject({ index: 0, callId: 'batch-0', body: large });
  await eventually(() => budget.usedBytes === 0);
  slow.socket.resume();
  await slow.closed();
  expect(slow.received.length).toBeLessThan(large.length);
  expect(gateway.logs.some(({ msg }) => String(msg).startsWith('results of a batch aborted'))).toBe(true);
});

test('lists without room are 503, and a client that does not read its list is given up for others', async () => {
  const clock = { now: 0 };
  const budget = new BodyBudget({ limitBytes: 24 * mebibyte, now: () => clock.now });
  await using gateway = await startTestGateway({ resultBudget: budget });
  gateway.search.page = { calls: [endedCall('call-1', { labels: [large] })], next: undefined, complete: true };
  const url = `${gateway.url}/system/calls`;
  await using slow = await RawClient.connect(gateway.port);
  slow.socket.pause();
  slow.send('GET /system/calls HTTP/1.1\r\nHost: localhost\r\n\r\n');
  await eventually(() => budget.usedBytes > large.length);

  const refused = await request(url);
  const { 'retry-after': again, 'content-type': type } = refused.headers;
  expect([refused.statusCode, again, type]).toEqual([503, '1', expect.stringContaining('application/problem+json')]);
  expect(await refused.body.json()).toMatchObject({ code: 'overloaded', status: 503 });
  const head = await request(url, { method: 'HEAD' });
  expect(head.statusCode).toBe(200);
  await head.body.dump();

  clock.now = 6_000;
  const { statusCode, body } = await request(url);
  expect(statusCode).toBe(200);
  expect(await body.json()).toMatchObject({ calls: [{ callId: 'call-1', labels: [large] }] });
  await eventually(() => budget.usedBytes === 0);
  slow.socket.resume();
  await slow.closed();
  expect(slow.received.length).toBeLessThan(large.length);
});
