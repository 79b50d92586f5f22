import { join } from 'node:path';
import { findNatsServer, type NatsServer, startNatsServer } from '@asyncfn/nats-server';
import type { Component } from '@asyncfn/service-kit';
import type { Terminal } from '../terminal/index.ts';
import { toEndError } from './app-process.ts';

export interface LocalNatsOptions {
  readonly port: number;
  readonly stateDir: string;
  readonly terminal: Terminal;
  readonly env: NodeJS.ProcessEnv;
  /** Called if it ends by itself. */
  readonly fail: (error: Error) => void;
}

/** The nats-server on this machine. */
export interface LocalNats {
  /** Throws before the start. */
  readonly url: string;
  readonly component: Component;
}

const stopMs = 30_000;

export function createLocalNats({ port, stateDir, terminal, env, fail }: LocalNatsOptions): LocalNats {
  let server: NatsServer | undefined;
  const start = async (signal: AbortSignal): Promise<void> => {
    const search = findNatsServer({ env, log: (line) => terminal.showOutput('nats', line) });
    const found = await Promise.race([search, rejectOnAbort(signal)]);
    terminal.showOutput('nats', `nats-server ${found.version} (${found.path})`);
    server = await startNatsServer({
      bin: found.path,
      port,
      storeDir: join(stateDir, 'nats'),
      // A 202 survives a power failure; gateway and worker learn of it from NATS_SYNC and store in groups.
      syncInterval: 'always',
      onLine: (line) => terminal.showNatsOutput(line),
    });
    void server.exited.then((exit) => signal.aborted || fail(toEndError('nats-server', exit)));
  };
  const stop = async (): Promise<void> => {
    await server?.stop();
  };
  return {
    get url() {
      if (server === undefined) {
        throw new Error('NATS is not started');
      }
      return server.url;
    },
    component: { name: 'NATS', start, stop: { name: 'stop NATS', timeoutMs: stopMs, run: stop } },
  };
}

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
    }
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
