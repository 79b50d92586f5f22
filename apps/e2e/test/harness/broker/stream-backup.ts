import { eventually } from '@asyncfn/testkit';
import { jetstreamManager, type StreamInfo } from '@nats-io/jetstream';
import { connect, createInbox, type NatsConnection } from '@nats-io/transport-node';

/** The whole content of a stream, with its settings and its consumers. */
export interface StreamBackup {
  readonly config: StreamInfo['config'];
  readonly state: StreamInfo['state'];
  readonly chunks: readonly Uint8Array[];
}

const timeoutMs = 20_000;
const chunkBytes = 128 * 1024;

/** Backs up every stream with the requests of `nats account backup`. */
export async function backUpStreams(servers: string): Promise<StreamBackup[]> {
  await using connection = await open(servers);
  const manager = await jetstreamManager(connection);
  const backups: StreamBackup[] = [];
  for await (const { config } of manager.streams.list()) {
    backups.push(await backUp(connection, config.name));
  }
  return backups;
}

/** Restores streams that do not exist with the requests of `nats account restore`. */
export async function restoreStreams(servers: string, backups: readonly StreamBackup[]): Promise<void> {
  await using connection = await open(servers);
  const manager = await jetstreamManager(connection, { checkAPI: false });
  // Until the servers have elected a leader, none of them answers.
  await eventually(async () => await manager.getAccountInfo());
  for (const backup of backups) {
    await restore(connection, backup);
  }
}

async function open(servers: string): Promise<NatsConnection> {
  return await connect({ servers: servers.split(','), ignoreClusterUpdates: true });
}

/** The server sends a chunk each time that the one before is acknowledged, and an empty message at the end. */
async function backUp(connection: NatsConnection, stream: string): Promise<StreamBackup> {
  const inbox = createInbox();
  const subscription = connection.subscribe(inbox);
  const wanted = { deliver_subject: inbox, chunk_size: chunkBytes };
  const { config, state } = await ask<StreamInfo>(connection, `$JS.API.STREAM.SNAPSHOT.${stream}`, wanted);
  const chunks: Uint8Array[] = [];
  for await (const message of subscription) {
    if (message.data.length === 0) {
      break;
    }
    chunks.push(message.data);
    message.respond();
  }
  return { config, state, chunks };
}

async function restore(connection: NatsConnection, { config, state, chunks }: StreamBackup): Promise<void> {
  const api = `$JS.API.STREAM.RESTORE.${config.name}`;
  const { deliver_subject: subject } = await ask<{ deliver_subject: string }>(connection, api, { config, state });
  for (const chunk of chunks) {
    // Another server may restore it, and our server may not know yet that it listens.
    await eventually(() => connection.request(subject, chunk, { timeout: timeoutMs }));
  }
  await ask(connection, subject);
}

async function ask<T>(connection: NatsConnection, subject: string, request?: object): Promise<T> {
  const body = request === undefined ? undefined : JSON.stringify(request);
  const answer = (await connection.request(subject, body, { timeout: timeoutMs })).json<T & { error?: object }>();
  if (answer.error !== undefined) {
    throw new Error(`${subject}: ${JSON.stringify(answer.error)}`);
  }
  return answer;
}
