import { randomUUID } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { connect, createInbox, type Msg } from '@nats-io/transport-node';
import type { FloorSettings } from '../systems/index.ts';

/**
 * The least that could accept calls on Node: bare `node:http`, a plain NATS publish with a PubAck, and one flush for
 * each tick of the event loop. It neither checks, logs nor counts, and has no time limits.
 */
const { natsUrl, subject } = JSON.parse(process.argv[2] ?? '') as FloorSettings;
const connection = await connect({ servers: natsUrl, noAsyncTraces: true });
const inbox = createInbox();
const waiting = new Map<string, (stored: boolean) => void>();
let unsent: (readonly [subject: string, body: Buffer, reply: string])[] = [];
let lastToken = 0;

connection.subscribe(`${inbox}.*`, {
  callback(_: Error | null, message: Msg) {
    const token = message.subject.slice(inbox.length + 1);
    waiting.get(token)?.((JSON.parse(message.string()) as { seq?: number }).seq !== undefined);
    waiting.delete(token);
  },
});

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const id = randomUUID();
    const answer = (stored: boolean): void => {
      response.writeHead(stored ? 202 : 503, { 'X-Call-Id': id, 'Content-Length': 0 }).end();
    };
    publish(`${subject}.${id}`, chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks), answer);
  });
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${JSON.stringify({ port: (server.address() as AddressInfo).port })}\n`);
});

function publish(to: string, body: Buffer, answer: (stored: boolean) => void): void {
  lastToken += 1;
  const token = lastToken.toString(36);
  waiting.set(token, answer);
  if (unsent.push([to, body, `${inbox}.${token}`]) === 1) {
    setImmediate(send);
  }
}

function send(): void {
  const items = unsent;
  unsent = [];
  for (const [to, body, reply] of items) {
    connection.publish(to, body, { reply });
  }
}
