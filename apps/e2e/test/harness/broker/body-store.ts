import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';

/** A view of the store of large bodies at the broker. */
export async function openBodyStore(natsUrl: string) {
  const connection = await connect({ servers: natsUrl });
  const manager = await jetstreamManager(connection);
  return {
    /** Records and chunks. */
    messages: async () => (await manager.streams.info('OBJ_BODIES')).state.messages,
    bytes: async () => (await manager.streams.info('OBJ_BODIES')).state.bytes,
    /** Removes the last chunk of each body. */
    async breakAll() {
      const { state } = await manager.streams.info('OBJ_BODIES', { subjects_filter: '$O.BODIES.C.*' });
      for (const subject of Object.keys(state.subjects ?? {})) {
        const last = await manager.streams.getMessage('OBJ_BODIES', { last_by_subj: subject });
        await manager.streams.deleteMessage('OBJ_BODIES', last!.seq);
      }
    },
    [Symbol.asyncDispose]: () => connection.close(),
  };
}
