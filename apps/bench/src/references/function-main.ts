import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FunctionReport } from '../systems/index.ts';

/**
 * A function that only remembers when it answered each call: `GET /report` returns that, `POST /reset` forgets it.
 * `POST /hold` makes all calls wait until `POST /release`.
 */
let answeredAt: number[] = [];
let held: ServerResponse[] | undefined;

const server = createServer((request, response) => {
  if (request.url === '/report') {
    answer(response, report());
    return;
  }
  const order = request.method === 'POST' ? orders[request.url ?? ''] : undefined;
  if (order !== undefined) {
    order();
    answer(response, {});
    return;
  }
  request.resume();
  request.on('end', () => {
    if (held === undefined) {
      answerCall(response);
    } else {
      held.push(response);
    }
  });
});
server.keepAliveTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});

const orders: Readonly<Record<string, () => void>> = {
  '/reset'() {
    answeredAt = [];
  },
  '/hold'() {
    held ??= [];
  },
  '/release'() {
    const waiting = held ?? [];
    held = undefined;
    waiting.forEach(answerCall);
  },
};

function answerCall(response: ServerResponse): void {
  answeredAt.push(performance.now());
  response.writeHead(200, { 'Content-Length': 0 }).end();
}

/** The first tenth and the last are not counted: not every slot is busy then. */
function report(): FunctionReport {
  const count = answeredAt.length;
  const from = Math.floor(count * 0.1);
  const to = Math.floor(count * 0.9);
  const seconds = ((answeredAt[to] ?? 0) - (answeredAt[from] ?? 0)) / 1000;
  const allSeconds = ((answeredAt.at(-1) ?? 0) - (answeredAt[0] ?? 0)) / 1000;
  return { count, perSecond: toRate(to - from, seconds), perSecondOverall: toRate(count - 1, allSeconds) };
}

function toRate(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0;
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
