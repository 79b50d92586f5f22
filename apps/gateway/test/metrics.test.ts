import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { exchange, post, RawClient } from './raw-client.ts';

async function send({ url }: TestGateway, path: string, method: 'POST' | 'GET' | 'DELETE' = 'POST'): Promise<void> {
  await (await request(`${url}${path}`, { method })).body.dump();
}

async function sampleOf({ registry }: TestGateway, line: string): Promise<number | undefined> {
  const found = (await registry.metrics()).split('\n').find((text) => text.startsWith(`${line} `));
  return found === undefined ? undefined : Number(found.slice(line.length));
}

test("calls are counted under OpenFaaS's names", async () => {
  await using gateway = await startTestGateway();
  await send(gateway, '/async-function/echo/path?query');
  await send(gateway, '/async-function/echo');
  await send(gateway, '/async-function/hash.prod');
  expect(await sampleOf(gateway, 'gateway_invocation_function_started{function_name="echo"}')).toBe(2);
  expect(await sampleOf(gateway, 'gateway_invocation_function_started{function_name="hash.prod"}')).toBe(1);
  expect(await sampleOf(gateway, 'queue_worker_messages_submitted_total{queue_name="default"}')).toBe(2);
  expect(await sampleOf(gateway, 'queue_worker_messages_submitted_total{queue_name="heavy"}')).toBe(1);
  expect(await sampleOf(gateway, 'gateway_nats_reconnect_total')).toBe(3);
});

test('a call that the queue refused is started, refused, and not submitted', async () => {
  await using gateway = await startTestGateway();
  gateway.queue.answer = () => ({ kind: 'refused', reason: 'queue_full', detail: '' });
  await send(gateway, '/async-function/echo');
  expect(await sampleOf(gateway, 'gateway_invocation_function_started{function_name="echo"}')).toBe(1);
  expect(await sampleOf(gateway, 'gateway_calls_refused_total{code="queue_full"}')).toBe(1);
  expect(await gateway.registry.metrics()).not.toContain('queue_worker_messages_submitted_total{');
});

test('requests are counted and timed by method, route and status, whatever paths clients request', async () => {
  await using gateway = await startTestGateway();
  await send(gateway, '/async-function/echo/a?b');
  await send(gateway, '/async-function/unknown-one');
  await send(gateway, '/async-function/unknown-two');
  await send(gateway, '/async-function/a.b.c');
  await send(gateway, '/async-function/echo', 'DELETE');
  await send(gateway, '/random/1');
  await send(gateway, '/random/2', 'GET');
  await send(gateway, '/%zz', 'GET');
  await send(gateway, '/healthz', 'GET');
  await exchange(gateway.port, post('/random/3').replace('POST', 'PROPFIND'));
  await exchange(gateway.port, 'nonsense\r\n\r\n');
  const counted = (await gateway.registry.metrics())
    .split('\n')
    .filter((line) => line.startsWith('http_requests_total{'));
  expect(counted.toSorted()).toEqual([
    'http_requests_total{method="DELETE",path="/async-function/:callId",status="404"} 1',
    'http_requests_total{method="GET",path="/healthz",status="200"} 1',
    'http_requests_total{method="GET",path="other",status="400"} 1',
    'http_requests_total{method="GET",path="other",status="404"} 1',
    'http_requests_total{method="POST",path="/async-function/:name",status="202"} 1',
    'http_requests_total{method="POST",path="/async-function/:name",status="400"} 1',
    'http_requests_total{method="POST",path="/async-function/:name",status="404"} 2',
    'http_requests_total{method="POST",path="other",status="404"} 1',
    'http_requests_total{method="other",path="other",status="400"} 1',
    'http_requests_total{method="other",path="other",status="404"} 1',
  ]);
  const timed = 'http_request_duration_seconds_count{method="POST",path="/async-function/:name",status="202"}';
  expect(await sampleOf(gateway, timed)).toBe(1);
});

test('a client that goes away is counted as 499, once', async () => {
  await using gateway = await startTestGateway();
  await using client = await RawClient.connect(gateway.port);
  client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nContent-Length: 100\r\n\r\nhalf');
  await eventually(() => client.socket.bytesWritten > 0);
  client.socket.end();
  const line = 'http_requests_total{method="POST",path="/async-function/:name",status="499"}';
  await eventually(async () => (await sampleOf(gateway, line)) === 1);
  expect(await sampleOf(gateway, 'gateway_calls_refused_total{code="client_disconnected"}')).toBe(1);
  expect((await gateway.registry.metrics()).match(/^http_requests_total\{/gm)).toHaveLength(1);
});
