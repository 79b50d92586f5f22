import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const script = fileURLToPath(new URL('health.mjs', import.meta.url));
const answers: Readonly<Record<string, [number, string]>> = {
  '/livez': [200, 'OK'],
  '/readyz': [503, '{"status":"not ready"}'],
};
let server: Server;
let port: string;
beforeAll(async () => {
  server = createServer(({ url = '' }, response) => {
    const [status, body] = answers[url] ?? [404, ''];
    response.writeHead(status).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = String((server.address() as { port: number }).port);
});
afterAll(() => server.close());

/** The check as Docker runs it, with its exit code and the output that `docker inspect` shows. */
async function check(args: string[], env: Record<string, string> = {}): Promise<[number, string]> {
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'inherit'] });
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
  return [code as number, output];
}

test('a process that answers is healthy, whatever it depends on', async () => {
  expect(await check([port])).toEqual([0, `http://127.0.0.1:${port}/livez: 200 OK\n`]);
});

test('it asks where the operations server listens', async () => {
  expect((await check(['1'], { OPS_PORT: port }))[0]).toBe(0);
  expect((await check(['1'], { OPS_PORT: port, OPS_HOST: '0.0.0.0', HOST: '203.0.113.1' }))[0]).toBe(0);
  expect((await check(['1'], { OPS_PORT: port, HOST: '::' }))[1]).toMatch(/^http:\/\/\[::1\]:/);
  expect((await check([port], { OPS_HOST: '', HOST: '127.0.0.1', OPS_PORT: '' }))[0]).toBe(0);
});

test('HEALTH_URL checks another address, and the check says what is not a success', async () => {
  const url = `http://127.0.0.1:${port}/readyz`;
  expect(await check(['1'], { HEALTH_URL: url })).toEqual([1, `${url}: 503 {"status":"not ready"}\n`]);
});

test('a port without a server is unhealthy, and the check says why', async () => {
  const [code, output] = await check([], { OPS_PORT: '1' });
  expect(code).toBe(1);
  expect(output).toContain('http://127.0.0.1:1/livez: connect ECONNREFUSED');
});

test('a process that does not answer in time is unhealthy', async () => {
  const mute = createServer(() => {}).listen(0, '127.0.0.1');
  await once(mute, 'listening');
  const { port: mutePort } = mute.address() as { port: number };
  const [code, output] = await check([String(mutePort)]);
  mute.closeAllConnections();
  mute.close();
  expect(code).toBe(1);
  expect(output).toMatch(/aborted/);
});
