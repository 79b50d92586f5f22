import { createHash, randomBytes } from 'node:crypto';
import { expect, onTestFinished } from 'vitest';
import { type BodyObject, type Call, emptyBody } from '../src/index.ts';
import { BodyStore, BodySweeper, BodyUpload } from '../src/jetstream/index.ts';
import { startServer } from './connected.ts';
import { buildCall, startGatewaySide } from './harness.ts';

/** A store of bodies at a server of its own, since a sweeper looks at all of them. */
export async function openBodies({ graceMs = 0 } = {}) {
  const server = await startServer();
  const gateway = await startGatewaySide(server.url, { queues: ['default'] });
  onTestFinished(async () => {
    await gateway[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });
  const bodies = new BodyStore(gateway);
  const begin = async (): Promise<BodyUpload> => {
    const upload = await bodies.upload();
    expect(upload).toBeInstanceOf(BodyUpload);
    return upload as BodyUpload;
  };
  /** Stores a body for a call, which is not in its queue yet. */
  const store = async (body: Uint8Array, changes: Partial<Call> = {}): Promise<Call & { bodyObject: BodyObject }> => {
    const upload = await begin();
    await upload.write(body);
    const call = buildCall('default', { ...changes, body: emptyBody });
    const result = await upload.finish(call);
    expect(result.kind).toBe('stored');
    return { ...call, bodyObject: (result as { object: BodyObject }).object };
  };
  /** Stores the response to a call. */
  const reply = async (call: Call, body: Uint8Array = largeBody): Promise<BodyObject> => {
    const upload = await begin();
    await upload.write(body);
    const result = await upload.finishReply(call);
    expect(result.kind).toBe('stored');
    return (result as { object: BodyObject }).object;
  };
  return {
    ...gateway,
    server,
    bodies,
    reply,
    sweeper: new BodySweeper({ ...gateway, bodies, graceMs }),
    begin,
    store,
    /** Messages of the store: chunks and records. */
    stored: async () => (await gateway.topology.manager.streams.info('OBJ_BODIES')).state.messages,
  };
}

export function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url');
}

/** Many chunks, and a rest. */
export const largeBody = randomBytes(1_500_001);

export async function collect(pieces: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const all: Uint8Array[] = [];
  for await (const piece of pieces) {
    all.push(piece);
  }
  return Buffer.concat(all);
}
