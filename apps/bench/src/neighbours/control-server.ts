import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

/** The commands of a program, by name: each takes settings and returns a report. */
export type Commands = Readonly<Record<string, (settings: never) => Promise<unknown>>>;

/** Lets the parent process send commands, one `POST /name` each. Resolves with the port. */
export async function serveCommands(commands: Commands): Promise<number> {
  const server = createServer((request, response) => void carryOut(commands, request, response));
  server.requestTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

/** Always answers. */
async function carryOut(commands: Commands, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const carry = commands[request.url?.slice(1) ?? ''] as ((settings: unknown) => Promise<unknown>) | undefined;
  try {
    const report = await carry?.(await json(request));
    response.writeHead(200).end(JSON.stringify(report ?? {}));
  } catch (error) {
    response.writeHead(500).end(String(error));
  }
}

/** Sends a command to a program. Rejects with its error if the program cannot carry it out. */
export async function command<Report>(port: number, name: string, settings: object): Promise<Report> {
  const response = await fetch(`http://127.0.0.1:${port}/${name}`, { method: 'POST', body: JSON.stringify(settings) });
  if (!response.ok) {
    throw new Error(`${name}: ${await response.text()}`);
  }
  return (await response.json()) as Report;
}
