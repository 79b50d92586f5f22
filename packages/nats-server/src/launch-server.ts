import { channel } from 'node:diagnostics_channel';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type GuardedProcess, spawnGuarded } from '@asyncfn/guarded-process';
import { NatsServerError, reasonOf } from './nats-server-error.ts';
import { type ListeningPorts, waitUntilReady } from './readiness.ts';
import { toServerConfig } from './server-config.ts';

const LOG_TAIL_LINES = 20;
const BIND_RETRY_MS = 100;

/** Each launched process is published here, with its last log lines: a test that fails prints them. */
const launches = channel('asyncfn:nats-server');

/** The parts that every start of one server shares, with nothing left open. */
export interface LaunchSettings {
  readonly bin: string;
  readonly args: readonly string[];
  /** Temporary, for the configuration and ports files. */
  readonly runDir: string;
  readonly storeDir: string;
  readonly host: string;
  readonly jetstream: boolean;
  readonly maxPayload: number;
  readonly syncInterval: string | undefined;
  readonly domain: string | undefined;
  readonly monitor: boolean;
  readonly name: string | undefined;
  readonly extraConfig: string;
  readonly onLine: (line: string) => void;
  readonly startTimeoutMs: number;
}

export interface RunningServer extends ListeningPorts {
  readonly process: GuardedProcess;
}

/**
 * Starts the server (port 0: a free one) and waits until it is ready; nothing is left running when it does not get
 * there.
 */
export async function launchServer(settings: LaunchSettings, port: number): Promise<RunningServer> {
  const { bin, args, onLine } = settings;
  const configFile = await writeConfig(settings, port);
  const tail: string[] = [];
  const process = await spawnGuarded(bin, ['-c', configFile, ...args], {
    onLine: (line) => {
      tail.push(line);
      if (tail.length > LOG_TAIL_LINES) {
        tail.shift();
      }
      onLine(line);
    },
  }).catch((error: unknown) => {
    throw startFailure(error, tail);
  });
  launches.publish({
    exited: process.exited,
    get tail() {
      return [`--- nats-server (pid ${process.pid})`, ...tail].join('\n');
    },
  });
  try {
    return { process, ...(await waitForServer(process, settings)) };
  } catch (error) {
    await process.stop();
    throw startFailure(error, tail);
  }
}

function startFailure(error: unknown, tail: readonly string[]): NatsServerError {
  const lines = tail.length === 0 ? [] : ['Its last log lines:', ...tail];
  const message = [`nats-server did not start: ${reasonOf(error)}`, ...lines].join('\n');
  return new NatsServerError('start_failed', message, { cause: error });
}

/** Starts on a port that was ours. The system may have used it for an outgoing connection meanwhile; that passes. */
export async function relaunchServer(settings: LaunchSettings, port: number): Promise<RunningServer> {
  const deadline = Date.now() + settings.startTimeoutMs;
  for (;;) {
    try {
      return await launchServer(settings, port);
    } catch (error) {
      if (!String(error).includes('address already in use') || Date.now() > deadline) {
        throw error;
      }
      await delay(BIND_RETRY_MS);
    }
  }
}

async function writeConfig(settings: LaunchSettings, port: number): Promise<string> {
  const file = join(settings.runDir, 'nats.conf');
  const { host, runDir, jetstream, storeDir, domain, name, maxPayload, syncInterval, monitor, extraConfig } = settings;
  const text = toServerConfig({
    host,
    port,
    portsDir: runDir,
    storeDir: jetstream ? storeDir : undefined,
    domain,
    name,
    maxPayload,
    syncInterval,
    monitor,
    extra: extraConfig,
  });
  // It may contain passwords.
  await writeFile(file, text, { mode: 0o600 });
  return file;
}

async function waitForServer(process: GuardedProcess, settings: LaunchSettings): Promise<ListeningPorts> {
  const { runDir, host, jetstream, startTimeoutMs } = settings;
  const failed = new AbortController();
  const fail = (reason: string): void => failed.abort(new Error(reason));
  const timer = setTimeout(() => fail(`it was not ready within ${startTimeoutMs} ms`), startTimeoutMs);
  void process.exited.then(({ code, signal }) => fail(`it ended with ${signal ?? `code ${code}`}`));
  try {
    return await waitUntilReady({ portsDir: runDir, pid: process.pid, host, jetstream, signal: failed.signal });
  } finally {
    clearTimeout(timer);
  }
}
