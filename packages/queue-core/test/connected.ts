import { randomBytes } from 'node:crypto';
import { type NatsServer, type NatsServerOptions, startNatsServer } from '@asyncfn/nats-server';
import type {} from '@asyncfn/nats-server/vitest';
import { eventually, freePort } from '@asyncfn/testkit';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, inject } from 'vitest';
import { queueStream } from '../src/call/index.ts';
import type { QueueError } from '../src/index.ts';
import type { BrokerOptions } from '../src/jetstream/connecting/broker.ts';
import type { QueueLogger } from '../src/jetstream/connecting/queue-logger.ts';
import { Broker } from '../src/jetstream/index.ts';

interface LogLine {
  readonly level: 'info' | 'warn' | 'error';
  readonly fields: object;
  readonly message: string;
}

/** A logger whose lines a test can read. */
export class RecordingLogger implements QueueLogger {
  readonly lines: LogLine[] = [];

  get messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message });
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message });
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message });
  }
}

export interface TestBroker extends AsyncDisposable {
  readonly broker: Broker;
  readonly logger: RecordingLogger;
  readonly fatal: QueueError[];
}

/** A broker that has not been started; it is stopped at the end of the scope. */
export function createBroker(url: string, options: Partial<BrokerOptions> = {}): TestBroker {
  const logger = new RecordingLogger();
  const fatal: QueueError[] = [];
  const onFatal = (error: QueueError): void => void fatal.push(error);
  const broker = new Broker({ servers: [url], name: 'test', logger, onFatal, ...options });
  return { broker, logger, fatal, [Symbol.asyncDispose]: () => broker.stop() };
}

/** Resolves once the broker is connected. */
export async function connected(broker: Broker): Promise<void> {
  await eventually(() => broker.connected);
}

/** A server of the test's own, for outages: no other process gets its port while it is down. */
export async function startServer(options: NatsServerOptions = {}): Promise<NatsServer> {
  return await startNatsServer({ bin: inject('natsServerBin'), port: await freePort(), ...options });
}

const uniqueQueues: string[] = [];

/** A queue that no other test uses. It is deleted after all tests of the file. */
export function uniqueQueue(): string {
  const queue = `test-${randomBytes(6).toString('hex')}`;
  uniqueQueues.push(queue);
  return queue;
}

// A lookup of an id reads every queue of the shared server: those of all files would make each test slower than the
// last.
afterAll(async () => {
  if (uniqueQueues.length === 0) {
    return;
  }
  const connection = await connect({ servers: inject('natsUrl') });
  const manager = await jetstreamManager(connection);
  for (const queue of uniqueQueues) {
    await manager.streams.delete(queueStream(queue)).catch(() => false); // it may never have been created
  }
  await connection.close();
});
