import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** What a program can be asked to do, by its name: settings in, a report out. */
export type Commands = Readonly<Record<string, (settings: never) => Promise<unknown>>>;

/** Lets the parent have this program do things, one `POST /name` each. Resolves with the port. */
export async function serveCommands(commands: Commands): Promise<number> {
  const server = createServer((request, response) => void carryOut(commands, request, response));
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Answers in any case. */
async function carryOut(commands: Commands, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const carry = commands[request.url?.slice(1) ?? ''] as ((settings: unknown) => Promise<unknown>) | undefined;
  try {
    const report = await carry?.(await json(request));
    response.writeHead(200).end(JSON.stringify(report ?? {}));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

/** Has a program do something. Rejects with what it says if it cannot. */
export async function command<Report>(port: number, name: string, settings: object): Promise<Report> {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`, { method: 'POST', body: JSON.stringify(settings) });
  if (!response.ok) {
    throw new Error(`${name}: ${await response.text()}`);
  }
  return (await response.json()) as Report;
}
