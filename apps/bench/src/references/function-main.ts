import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FunctionReport } from '../systems/index.ts';

/** A function that does nothing but remember when it was called: `GET /report` tells, `POST /reset` forgets. */
let calledAt: number[] = [];

const server = createServer((request, response) => {
  if (request.url === '/report') {
    answer(response, report());
    return;
  }
  if (request.url === '/reset') {
    calledAt = [];
    answer(response, {});
    return;
  }
  request.resume();
  request.on('end', () => {
    calledAt.push(performance.now());
    response.writeHead(200, { 'Content-Length': 0 }).end();
  });
});
server.keepAliveTimeout = 0;
server.listen({ port: 0, host: '127.0.0.1', backlog: 4_096 }, () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});

/** The first tenth and the last are not counted: there, not every slot is busy. */
function report(): FunctionReport {
  const count = calledAt.length;
  const from = Math.floor(count * 0.1);
  const to = Math.floor(count * 0.9);
  const seconds = ((calledAt[to] ?? 0) - (calledAt[from] ?? 0)) / 1000;
  const allSeconds = ((calledAt.at(-1) ?? 0) - (calledAt[0] ?? 0)) / 1000;
  return { count, perSecond: toRate(to - from, seconds), perSecondOverall: toRate(count - 1, allSeconds) };
}

function toRate(count: number, seconds: number): number {
  return seconds > 0 ? count / seconds : 0;
}

function answer(response: ServerResponse, body: object): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}
