import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

export interface StubBroker extends AsyncDisposable {
  readonly url: string;
}

/** Speaks just enough of NATS's protocol to pass for a server of this version. */
export async function startStubBroker(version: string): Promise<StubBroker> {
  const info = { server_id: 'stub', version, proto: 1, headers: true, max_payload: 1_048_576, jetstream: true };
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.write(`INFO ${JSON.stringify(info)}\r\n`);
    socket.on('data', (chunk: Buffer) => {
      const pings = chunk.toString('latin1').match(/^PING\r\n/gm) ?? [];
      socket.write('PONG\r\n'.repeat(pings.length));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `nats://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.close();
      await Promise.resolve();
    },
  };
}
