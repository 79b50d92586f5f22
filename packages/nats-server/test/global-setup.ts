import type { TestProject } from 'vitest/node';
import { findNatsServer, type NatsServer, startNatsServer } from '../src/index.ts';
import type {} from '../src/vitest.ts';

let server: NatsServer | undefined;

/** Provides every test of the project with one shared server, `TEST_NATS_URL` or one started here, and the binary. */
export async function setup(project: TestProject): Promise<void> {
  const { path } = await findNatsServer({
    env: process.env,
    log: (line) => process.stderr.write(`nats-server: ${line}\n`),
  });
  project.provide('natsServerBin', path);
  const givenUrl = process.env['TEST_NATS_URL'];
  if (!givenUrl) {
    server = await startNatsServer({ bin: path });
  }
  project.provide('natsUrl', givenUrl || (server?.url ?? ''));
}

export async function teardown(): Promise<void> {
  await server?.stop();
}
