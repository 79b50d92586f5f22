import { createHash, randomBytes } from 'node:crypto';
import { readBytes } from '@asyncfn/queue-core/jetstream';
import { eventually } from '@asyncfn/testkit';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BodyBudget } from '../src/http/body-budget.ts';
import { endedCall } from './call-fixture.ts';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { RawClient } from './raw-client.ts';

const body = randomBytes(100_001);
const sum = createHash('sha256').update(body).digest();
const object = { id: 'a'.repeat(24), length: body.length, sha256: sum.toString('base64url') };
const stored = { bodyObject: object, bodyOmitted: 'stored_apart' };
const headers: [string, string][] = [['Content-Type', 'video/mp4']];

let gateway: TestGateway;
let url: string;

beforeAll(async () => {
  gateway = await startTestGateway();
  gateway.calls.states.set('call-1', endedCall('call-1', { ...stored, headers }, ''));
  gateway.calls.objects.set(object.id, body);
  url = `${gateway.url}/async-function/call-1/result`;
});

afterAll(() => gateway[Symbol.asyncDispose]());

async function ask(wanted: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const answer = await request(url, { method, headers: wanted });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) };
}

const whole = {
  'content-length': String(body.length),
  'content-type': 'video/mp4',
  etag: `"${object.sha256}"`,
  'repr-digest': `sha-256=:${sum.toString('base64')}:`,
  'accept-ranges': 'bytes',
};

describe('a result that is stored apart', () => {
  test('comes as a whole, with its length, digest and entity tag', async () => {
    const answer = await ask();
    expect(answer).toMatchObject({ status: 200, headers: whole });
    expect(answer.body.equals(body)).toBe(true);
  });

  test('says the same to HEAD', async () => {
    expect(await ask({}, 'HEAD')).toMatchObject({ status: 200, headers: whole, body: { length: 0 } });
  });

  test.each<[range: string, from: number, to: number]>([
    ['bytes=0-0', 0, 1],
    ['bytes=999-1000', 999, 1_001],
    ['bytes=50000-', 50_000, body.length],
    ['bytes=-1', body.length - 1, body.length],
    ['bytes=0-1000000', 0, body.length],
  ])('comes in part: %s', async (range, from, to) => {
    const answer = await ask({ range });
    expect(answer).toMatchObject({
      status: 206,
      headers: {
        'content-length': String(to - from),
        'content-range': `bytes ${from}-${to - 1}/${body.length}`,
        'repr-digest': whole['repr-digest'],
      },
    });
    expect(answer.body.equals(body.subarray(from, to))).toBe(true);
  });

  test('is not sent to a client that has it, nor beyond its end', async () => {
    expect(await ask({ 'if-none-match': whole.etag })).toMatchObject({ status: 304, body: { length: 0 } });
    expect(await ask({ range: `bytes=${body.length}-` })).toMatchObject({
      status: 416,
      headers: { 'content-range': `bytes */${body.length}` },
    });
  });

  test('that is gone is no longer known', async () => {
    gateway.calls.states.set('gone', endedCall('gone', { bodyObject: { ...object, id: 'b'.repeat(24) } }));
    const { statusCode, body: problem } = await request(`${gateway.url}/async-function/gone/result`);
    expect([statusCode, await problem.json()]).toEqual([404, expect.objectContaining({ code: 'call_not_found' })]);
  });

  test('is referred to by the results of its batch', async () => {
    gateway.calls.states.set('batch-0', endedCall('batch-0', stored, ''));
    const created = { v: 1, batchId: 'batch', startTime: '1700000000000000000', createdAt: 17, refused: 0 } as const;
    gateway.batches.states.set('batch', { ...created, phase: 'sealed', parts: 1, total: 1 });
    gateway.batches.items.set('batch/0', [{ callId: 'batch-0', function: 'echo', queue: 'default' }]);
    const { body: lines } = await request(`${gateway.url}/async-batch/batch/results`);
    expect(await lines.json()).toEqual({
      index: 0,
      callId: 'batch-0',
      function: 'echo',
      status: 'succeeded',
      functionStatus: 200,
      bodyUrl: '/async-function/batch-0/result',
      bodyBytes: body.length,
    });
  });
});

test('a result that is stored apart holds only what is being sent, until its client leaves', async () => {
  const budget = new BodyBudget({ limitBytes: 24 * 1024 * 1024 });
  await using other = await startTestGateway({ resultBudget: budget });
  const large = randomBytes(16 * 1024 * 1024);
  other.calls.objects.set(object.id, large);
  other.calls.states.set('call-1', endedCall('call-1', { bodyObject: { ...object, length: large.length } }));
  await using client = await RawClient.connect(other.port);
  client.socket.pause();
  client.send('GET /async-function/call-1/result HTTP/1.1\r\nHost: g\r\n\r\n');
  await eventually(() => budget.usedBytes === readBytes);
  client.socket.resetAndDestroy();
  await eventually(() => budget.usedBytes === 0);
});
