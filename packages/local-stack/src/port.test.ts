import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { checkPorts, formatHost, listenOn, PortError, type WantedPort } from './port.ts';

const wanted = (port: number, variable: string): WantedPort => ({ port, host: '127.0.0.1', variable, what: 'gateway' });

async function freePort(): Promise<number> {
  const server = createServer();
  await listenOn(server, wanted(0, 'PORT'));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('the error for a port in use names the variable that changes it', async () => {
  const server = createServer();
  const port = await freePort();
  await listenOn(server, wanted(port, 'PORT'));
  const refusal = checkPorts([wanted(0, 'OPS_PORT'), wanted(port, 'PORT')]);
  await expect(refusal).rejects.toThrow(PortError);
  await expect(refusal).rejects.toThrow(
    `port ${port} (gateway) is in use. Set PORT to another port, or to 0 for a free one.`,
  );
  server.close();
});

test('a port that is requested twice is refused, and free ports are free again after the check', async () => {
  const port = await freePort();
  await expect(checkPorts([wanted(port, 'PORT'), wanted(port, 'OPS_PORT')])).rejects.toThrow('Set OPS_PORT');
  await checkPorts([wanted(port, 'PORT'), wanted(0, 'A'), wanted(0, 'B')]);
  await checkPorts([wanted(port, 'PORT')]);
});

test('an error that is not about the port stays what it is', () => {
  const error = new Error('something else');
  expect(PortError.from(error, wanted(1, 'PORT'))).toBe(error);
});

test('a host has the form in which a URL works', () => {
  expect(['0.0.0.0', '::', '::1', 'localhost'].map(formatHost)).toEqual(['127.0.0.1', '[::1]', '[::1]', 'localhost']);
});
