import { createHash, randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { createSampleFunctions } from '../src/samples/sample-functions.ts';
import { recordingLogger, serve } from './serve.ts';

const post = (url: string, body: string | Buffer = '', headers: Record<string, string> = {}) =>
  fetch(url, { method: 'POST', body, headers });

test('echo answers with the headers and the bytes of the request', async () => {
  await using functions = await serve(createSampleFunctions());
  const body = randomBytes(3_000_000);
  const answer = await post(`${functions.url}/echo/sub/path?x=1`, body, {
    'Content-Type': 'image/png',
    'X-Tenant': '7',
  });
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toBe('image/png');
  expect(answer.headers.get('x-tenant')).toBe('7');
  expect(Buffer.from(await answer.arrayBuffer()).equals(body)).toBe(true);
});

test('echo returns neither secrets nor headers of the connection', async () => {
  await using functions = await serve(createSampleFunctions());
  const answer = await post(`${functions.url}/echo`, 'x', { Authorization: 'Bearer s3cret', Cookie: 'a=b' });
  expect(answer.headers.get('authorization')).toBeNull();
  expect(answer.headers.get('cookie')).toBeNull();
  expect(answer.headers.get('host')).toBeNull();
});

test('echo shows the headers as JSON on request', async () => {
  await using functions = await serve(createSampleFunctions());
  const answer = await post(`${functions.url}/echo?headers=1`, 'hello', { 'X-Call-Id': 'c1' });
  expect(await answer.json()).toMatchObject({
    method: 'POST',
    url: '/echo?headers=1',
    headers: expect.arrayContaining([['X-Call-Id', 'c1']]),
  });
});

test('sleep answers after that time', async () => {
  await using functions = await serve(createSampleFunctions());
  const before = performance.now();
  const answer = await post(`${functions.url}/sleep?ms=120`);
  expect(performance.now() - before).toBeGreaterThanOrEqual(119);
  expect(await answer.text()).toBe('slept 120 ms\n');
});

test('sleep stops waiting when the client goes away', async () => {
  const { logger, lines } = recordingLogger();
  await using functions = await serve(createSampleFunctions(), { logger, lines });
  const socket = connect(functions.port, '127.0.0.1');
  const request = 'POST /sleep?ms=60000 HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n';
  await new Promise((written) => socket.write(request, written));
  socket.destroy();
  const line = await eventually(() => lines.find((text) => text.includes('request answered')));
  expect(JSON.parse(line)).toMatchObject({ path: '/sleep', status: 499 });
});

test('status answers with the requested code and Retry-After', async () => {
  await using functions = await serve(createSampleFunctions());
  const answer = await post(`${functions.url}/status?code=429&retryAfter=7`);
  expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '7']);
});

test('status with times fails that often for each call id and then succeeds', async () => {
  await using functions = await serve(createSampleFunctions());
  const statusOf = async (callId: string) =>
    (await post(`${functions.url}/status?code=503&times=2`, '', { 'X-Call-Id': callId })).status;
  const statuses = [];
  for (const callId of ['a', 'a', 'b', 'a', 'b', 'b']) {
    statuses.push(await statusOf(callId));
  }
  expect(statuses).toEqual([503, 503, 503, 200, 503, 200]);
});

test.each([
  ['status?code=99', 'code is "99": it has to be a whole number from 200 to 599'],
  ['status', 'code is missing: it has to be a whole number from 200 to 599'],
  ['status?code=500&times=1', 'times counts per X-Call-Id, and there is no such header'],
  ['status?code=500&retryAfter=%0A', 'retryAfter has to be seconds or an HTTP date'],
  ['sleep?ms=1e3', 'ms is "1e3": it has to be a whole number from 0 to 86400000'],
  ['sleep?ms=-1', 'ms is "-1": it has to be a whole number from 0 to 86400000'],
])('POST /%s is refused with a clear text', async (target, message) => {
  await using functions = await serve(createSampleFunctions());
  const answer = await post(`${functions.url}/${target}`, 'x');
  expect([answer.status, await answer.text()]).toEqual([400, `${message}\n`]);
});

test('hash answers with the SHA-256 of the body, also of an empty and of a large one', async () => {
  await using functions = await serve(createSampleFunctions());
  for (const body of [Buffer.alloc(0), randomBytes(10_000_000)]) {
    const answer = await post(`${functions.url}/hash`, body);
    expect(await answer.text()).toBe(createHash('sha256').update(body).digest('hex'));
  }
});

test('GET / lists the functions, another verb or name is refused', async () => {
  await using functions = await serve(createSampleFunctions());
  expect(await (await fetch(functions.url)).text()).toMatch(/\/echo.*\/sleep.*\/status.*\/hash/s);
  expect((await fetch(`${functions.url}/healthz`)).status).toBe(200);
  const wrongVerb = await fetch(`${functions.url}/echo`);
  expect([wrongVerb.status, wrongVerb.headers.get('allow')]).toEqual([405, 'POST']);
  expect((await post(`${functions.url}/constructor`)).status).toBe(404);
});

test('an answer is logged with its call id and without query or body', async () => {
  const { logger, lines } = recordingLogger();
  await using functions = await serve(createSampleFunctions(), { logger, lines });
  await post(`${functions.url}/echo?token=s3cret`, 's3cret', { 'X-Call-Id': 'c1', 'X-Key': 's3cret' });
  const line = await eventually(() => lines.find((text) => text.includes('request answered')));
  expect(JSON.parse(line)).toMatchObject({ method: 'POST', path: '/echo', callId: 'c1', status: 200 });
  expect(lines.join('')).not.toContain('s3cret');
});
