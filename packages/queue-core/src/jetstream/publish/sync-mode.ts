import type { NatsConnection } from '@nats-io/transport-node';
import { type ServerAnswer, type SyncMode, toSyncMode } from '../../durability.ts';
import type { Broker } from '../connecting/index.ts';

/** Every server answers with its settings if its operator lets our account ask. */
const serverReport = '$SYS.REQ.SERVER.PING.JSZ';
const answerMs = 2_000;
/** How long to wait for one more server after the last answer. */
const silenceMs = 300;

/**
 * Whether a PubAck of the servers means that the message is on disk. Never throws.
 * @param declaredAlways whether the operator states that they sync every write; counts if no server answers
 */
export async function readSyncMode(
  { connection, domain }: Pick<Broker, 'connection' | 'domain'>,
  declaredAlways: boolean,
): Promise<SyncMode> {
  return toSyncMode(connection === undefined ? [] : await askServers(connection, domain), declaredAlways);
}

/** Empty if no server may or will answer. Servers of another domain hold none of our streams. */
async function askServers(connection: NatsConnection, domain: string | undefined): Promise<ServerAnswer[]> {
  const answers: ServerAnswer[] = [];
  try {
    // An inbox of its own (`noMux`): at the shared one, the client reads a stack if no server answers, which is the usual
    // case. Node decodes the source map for it, which takes a tenth of a start, and keeps it in memory.
    const options = { strategy: 'stall', maxWait: answerMs, stall: silenceMs, noMux: true } as const;
    for await (const message of await connection.requestMany(serverReport, '{}', options)) {
      answers.push(parseAnswer(message.string(), domain));
    }
  } catch {
    // No responders, or no permission to ask.
  }
  return answers;
}

interface ServerConfig {
  readonly sync_always?: boolean;
  readonly domain?: string;
}

/** `/jsz` of nats-server: `config` is set if JetStream is on. */
function parseAnswer(text: string, domain: string | undefined): ServerAnswer {
  try {
    const { data } = JSON.parse(text) as { data?: { config?: ServerConfig; disabled?: boolean } };
    const config = data?.disabled === true ? undefined : data?.config;
    const isOurs = domain === undefined || config?.domain === domain;
    return config === undefined || !isOurs ? undefined : { syncAlways: config.sync_always === true };
  } catch {
    return undefined;
  }
}
