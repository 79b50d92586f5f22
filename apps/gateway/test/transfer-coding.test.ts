import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { post, RawClient } from './raw-client.ts';

let gateway: TestGateway;

beforeEach(async () => {
  gateway = await startTestGateway();
});

afterEach(() => gateway[Symbol.asyncDispose]());

function chunked(coding: string, { method = 'POST', target = '/async-function/echo', version = 'HTTP/1.1' } = {}) {
  return `${method} ${target} ${version}\r\nHost: g\r\nTransfer-Encoding: ${coding}\r\n\r\n5\r\nhello\r\n0\r\n\r\n`;
}

describe('a body with a transfer coding that is not chunked', () => {
  test.each([
    'gzip, chunked',
    'gzip,chunked',
    'deflate , chunked',
    'identity, chunked',
    'gzip\r\nTransfer-Encoding: chunked',
  ])('(%j) is 501, enqueues nothing, and leaves the connection in step', async (coding) => {
    for (const way of [{}, { method: 'DELETE', target: '/async-function/call-1' }]) {
      await using client = await RawClient.connect(gateway.port);
      client.send(chunked(coding, way));
      expect(await client.answer(/unsupported_transfer_coding/)).toMatch(/^HTTP\/1\.1 501 /);
      expect(gateway.queue.accepted).toEqual([]);
      client.send(post('/async-function/echo'));
      await client.answer(/HTTP\/1\.1 202 /);
      expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 501', 'HTTP/1.1 202']);
      expect(gateway.queue.accepted.splice(0)).toHaveLength(1);
    }
  });

  test.each(['gzip', 'identity', 'xchunked', 'chunked;q=1', '"chunked"', 'chunked, gzip', 'chunked, chunked'])(
    '(%j) whose end cannot be found is 501, enqueues nothing, and closes the connection',
    async (coding) => {
      await using client = await RawClient.connect(gateway.port);
      client.send(chunked(coding) + post('/async-function/echo'));
      expect(await client.closed()).toMatch(/^HTTP\/1\.1 501 .*^connection: close\r$.*unsupported_transfer_coding/ims);
      expect(client.received.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 501']);
      expect(gateway.queue.accepted).toEqual([]);
    },
  );
});

test.each(['chunked', 'Chunked', ' chunked ', ', chunked', 'chunked\r\nTransfer-Encoding:'])(
  'a body that is %j is accepted',
  async (coding) => {
    await using client = await RawClient.connect(gateway.port);
    client.send(chunked(coding));
    expect(await client.answer()).toMatch(/^HTTP\/1\.1 202 /);
    expect(Buffer.from(gateway.queue.last.body).toString()).toBe('hello');
  },
);

test('an empty list of codings counts as none', async () => {
  await using client = await RawClient.connect(gateway.port);
  client.send('POST /async-function/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding:\r\nContent-Length: 2\r\n\r\nhi');
  expect(await client.answer()).toMatch(/^HTTP\/1\.1 202 /);
  expect(Buffer.from(gateway.queue.last.body).toString()).toBe('hi');
});

test('a transfer coding in HTTP/1.0 is an error of framing, and the connection is closed', async () => {
  for (const coding of ['chunked', 'gzip, chunked']) {
    await using client = await RawClient.connect(gateway.port);
    const request = chunked(coding, { version: 'HTTP/1.0' }).replace('Host: g', 'Host: g\r\nConnection: keep-alive');
    client.send(request);
    expect(await client.closed()).toMatch(/^HTTP\/1\.1 400 .*^connection: close\r$.*malformed_request/ims);
    expect(gateway.queue.accepted).toEqual([]);
  }
});
