import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { JetStreamApiError, type JetStreamClient, jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

const stream = 'FILLER';
/** The server compares the stored bytes before it stores, so the last message goes beyond the limit. */
const chunkBytes = 7_000_000;
/** Little more than the reservation of the dead letters. */
const storageBytes = 1_100_000_000;
const insufficientResources = 10023;

/** A folder for nats-server's store, and the configuration that limits it. */
export interface SmallStorage extends AsyncDisposable {
  readonly natsConfig: string;
}

export async function smallStorage(): Promise<SmallStorage> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-small-'));
  return {
    natsConfig: `jetstream { store_dir: ${JSON.stringify(folder)}, max_file_store: ${storageBytes} }`,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A storage that other data than calls fill. */
export interface Filler extends AsyncDisposable {
  /** From here on the server refuses every publish. */
  fill(): Promise<void>;
  /** Makes room again. */
  free(): Promise<void>;
}

/** Fills almost all of the storage, so that the rest is quickly filled. */
export async function almostFillStorage(natsUrl: string): Promise<Filler> {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  const client = jetstream(connection);
  const fill = async (): Promise<void> => {
    while (await isStored(client)) {}
  };
  await manager.streams.add({ name: stream, subjects: [stream] });
  await fill();
  const { state } = await manager.streams.info(stream);
  await manager.streams.purge(stream, { keep: state.messages - 2 });
  return {
    fill,
    async free() {
      await manager.streams.delete(stream);
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}

async function isStored(client: JetStreamClient): Promise<boolean> {
  try {
    await client.publish(stream, Buffer.alloc(chunkBytes));
    return true;
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === insufficientResources) {
      return false;
    }
    throw error;
  }
}
