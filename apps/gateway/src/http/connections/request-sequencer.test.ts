import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { eventually } from '@asyncfn/testkit';
import { describe, expect, test } from 'vitest';
import { RawClient } from '../../../test/raw-client.ts';
import { RequestSequencer, type RequestSequencerOptions } from './request-sequencer.ts';

interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** A server that answers when a test says so, and handles POSTs side by side. */
async function serve(options: Partial<Pick<RequestSequencerOptions, 'maxWaiting' | 'perTick'>> = {}) {
  const underWay: Exchange[] = [];
  const sockets: Socket[] = [];
  let overflows = 0;
  let isOpen = false;
  const respond = ({ request, response }: Exchange): void => void response.end(`${request.method} ${request.url}`);
  const turns = new RequestSequencer({
    handle(request, response) {
      if (isOpen) {
        respond({ request, response });
      } else {
        underWay.push({ request, response });
      }
    },
    isParallel: ({ method }) => method === 'POST',
    submitterOf: ({ url = '' }) => url,
    ...options,
    onOverflow: () => {
      overflows += 1;
    },
  });
  const server = createServer((request, response) => turns.take(request, response));
  server.on('connection', (socket) => sockets.push(socket));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    underWay,
    sockets,
    overflows: () => overflows,
    /** Answers the oldest request that is under way, with its path. */
    answer: () => respond(underWay.shift()!),
    /** Answers all waiting requests, and later ones at once. */
    open(): void {
      isOpen = true;
      underWay.splice(0).forEach(respond);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await once(server.close(), 'close');
    },
  };
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
const post = (path: string, body = ''): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

function pathsOf(exchanges: readonly Exchange[]): (string | undefined)[] {
  return exchanges.map(({ request }) => request.url);
}

describe('the requests of a connection', () => {
  test('are handled one after the other', async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.port);
    client.send(get('/1') + post('/2') + get('/3'));
    for (const path of ['/1', '/2', '/3']) {
      await eventually(() => server.underWay.length > 0);
      expect(pathsOf(server.underWay)).toEqual([path]);
      server.answer();
    }
    expect(await client.answer(/GET \/3/)).toMatch(/GET \/1.*POST \/2.*GET \/3/s);
  });

  test('are handled side by side if they may be, a hundred at most', async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.port);
    client.send(post('/side').repeat(150));
    await eventually(() => server.underWay.length === 100);
    server.open();
    await eventually(() => client.received.match(/POST \/side/g)?.length === 150);
  });

  test('do not hold up those of other connections', async () => {
    await using server = await serve();
    await using slow = await RawClient.connect(server.port);
    await using other = await RawClient.connect(server.port);
    slow.send(get('/slow') + get('/behind'));
    await eventually(() => server.underWay.length === 1);
    other.send(get('/other'));
    await eventually(() => server.underWay.length === 2);
    expect(pathsOf(server.underWay)).toEqual(['/slow', '/other']);
  });

  test('are read no further while some of them wait, and then to the end', async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.port);
    const count = 10_000;
    client.send(get('/x').repeat(count));
    await eventually(() => server.underWay.length === 1);
    let readBefore = -1;
    const isStill = (): boolean => {
      const { bytesRead } = server.sockets[0]!;
      const hasStopped = bytesRead === readBefore;
      readBefore = bytesRead;
      return hasStopped;
    };
    await eventually(isStill, { intervalMs: 200 });
    // The quarter of a megabyte that node reads at once.
    expect(readBefore).toBeLessThanOrEqual(64 * 1024);
    server.open();
    await eventually(() => client.received.match(/GET \/x/g)?.length === count, { intervalMs: 200, timeoutMs: 60_000 });
  });

  test('come with their bodies, however long they waited', async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.port);
    const body = 'x'.repeat(500_000);
    client.send(get('/first') + post('/second', body));
    await eventually(() => server.underWay.length === 1);
    server.answer();
    await eventually(() => server.underWay.length === 1);
    const { request } = server.underWay[0]!;
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
    });
    await once(request, 'end');
    expect(length).toBe(body.length);
  });

  test('wait in bounded numbers: beyond them the connection with the most is closed, and the others are answered', async () => {
    await using server = await serve({ maxWaiting: 3 });
    await using greedy = await RawClient.connect(server.port);
    greedy.send(get('/x').repeat(4));
    await eventually(() => server.underWay.length === 1);
    await using modest = await RawClient.connect(server.port);
    modest.send(get('/y').repeat(3));
    await greedy.closed();
    expect(server.overflows()).toBe(1);
    server.open();
    await eventually(() => modest.received.match(/GET \/y/g)?.length === 3);
  });

  test('close their own connection if no other one has more of them, and make room once it is closed', async () => {
    await using server = await serve({ maxWaiting: 3 });
    await using modest = await RawClient.connect(server.port);
    modest.send(get('/y').repeat(2));
    await eventually(() => server.underWay.length === 1);
    await using greedy = await RawClient.connect(server.port);
    greedy.send(get('/x').repeat(500));
    await greedy.closed();
    expect(server.overflows()).toBe(1);

    server.open();
    await eventually(() => modest.received.match(/GET \/y/g)?.length === 2);
    await using third = await RawClient.connect(server.port);
    third.send(get('/z').repeat(4));
    await eventually(() => third.received.match(/GET \/z/g)?.length === 4);
  });
});

test('a caller with thousands of requests on many connections has no more turns than one with few', async () => {
  await using server = await serve({ perTick: 1 });
  const [modest, ...greedy] = await Promise.all(Array.from({ length: 21 }, () => RawClient.connect(server.port)));
  for (const client of greedy) {
    client.send(post('/greedy').repeat(100));
  }
  modest!.send(post('/modest').repeat(20));
  await eventually(() => server.underWay.length === 2_020);
  const order = pathsOf(server.underWay);
  // Its twenty and as many of the others, and what came before them.
  expect(order.lastIndexOf('/modest') - order.indexOf('/modest')).toBeLessThan(60);
  expect(order.indexOf('/modest')).toBeLessThan(500);
});
