import { readdir, readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

export interface ListeningPorts {
  readonly port: number;
  readonly monitorUrl?: string;
}

export interface ReadinessOptions {
  readonly portsDir: string;
  readonly pid: number;
  readonly host: string;
  /** Wait until JetStream answers, too. */
  readonly jetstream: boolean;
  readonly signal: AbortSignal;
}

const POLL_MS = 20;
const GREETING_TIMEOUT_MS = 2_000;

/**
 * Waits for the ports file of that process and for the greeting on its client port.
 * @throws the reason of `signal` when that comes first.
 */
export async function waitUntilReady(options: ReadinessOptions): Promise<ListeningPorts> {
  const { host, jetstream, signal } = options;
  for (;;) {
    signal.throwIfAborted();
    const ports = await readPortsFile(options);
    const greeting = ports && (await readGreeting(host, ports.port));
    if (ports !== undefined && greeting !== undefined && (greeting.jetstream || !jetstream)) {
      return ports;
    }
    await delay(POLL_MS);
  }
}

/** The file is `<executable>_<pid>.ports`; a half-written one counts as missing. */
async function readPortsFile({ portsDir, pid }: ReadinessOptions): Promise<ListeningPorts | undefined> {
  const name = (await readdir(portsDir)).find((file) => file.endsWith(`_${pid}.ports`));
  if (name === undefined) {
    return undefined;
  }
  try {
    const ports = JSON.parse(await readFile(join(portsDir, name), 'utf8')) as {
      nats?: string[];
      monitoring?: string[];
    };
    const [natsUrl] = ports.nats ?? [];
    const [monitorUrl] = ports.monitoring ?? [];
    if (natsUrl === undefined) {
      return undefined;
    }
    return { port: Number(new URL(natsUrl).port), ...(monitorUrl !== undefined && { monitorUrl }) };
  } catch {
    return undefined;
  }
}

/**
 * A NATS server speaks first: `INFO {json}` (https://docs.nats.io/reference/reference-protocols/nats-protocol#info).
 */
function readGreeting(host: string, port: number): Promise<{ jetstream: boolean } | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: GREETING_TIMEOUT_MS });
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      if (!received.includes('\r\n')) {
        return;
      }
      const info = /^INFO (\{.*?\}) ?\r\n/.exec(received)?.[1];
      resolve(info === undefined ? undefined : { jetstream: /"jetstream":\s*true/.test(info) });
      socket.destroy();
    });
    socket.once('timeout', () => socket.destroy());
    socket.once('error', () => resolve(undefined));
    socket.once('close', () => resolve(undefined));
  });
}
