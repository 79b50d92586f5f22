import { JetStreamApiError, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import { expect, test } from 'vitest';
import { ensureStream, queueStreamConfig } from './streams.ts';

const silent = { info: () => {}, warn: () => {}, error: () => {} };

/** A server whose stream exists with these settings; records its updates. */
function serverWith(existing: object, updateError?: Error): { manager: JetStreamManager; updates: object[] } {
  const updates: object[] = [];
  const streams = {
    add: () => Promise.reject(apiError(10058, 'stream name already in use')),
    info: () => Promise.resolve({ config: existing, state: { bytes: 0 } }),
    update: (_: string, config: object) => {
      updates.push(config);
      return updateError === undefined ? Promise.resolve({ config }) : Promise.reject(updateError);
    },
  };
  return { manager: { streams } as unknown as JetStreamManager, updates };
}

function apiError(code: number, description: string): JetStreamApiError {
  return new JetStreamApiError({ code: 400, err_code: code, description });
}

function wanted(replicas: number): StreamConfig {
  return queueStreamConfig('q', replicas) as StreamConfig;
}

test('replicas that another process has requested are kept', async () => {
  const { manager, updates } = serverWith(wanted(3));
  await ensureStream(manager, wanted(1), silent);
  expect(updates).toEqual([]);
});

test('replicas are kept even if another setting is updated', async () => {
  const { manager, updates } = serverWith({ ...wanted(3), max_bytes: 1_000_000 });
  await ensureStream(manager, wanted(1), silent);
  expect(updates).toEqual([expect.objectContaining({ num_replicas: 3, max_bytes: -1 })]);
});

test('replicas are raised', async () => {
  const { manager, updates } = serverWith(wanted(1));
  await ensureStream(manager, wanted(3), silent);
  expect(updates).toEqual([expect.objectContaining({ num_replicas: 3 })]);
});

test('a setting that the server does not let us change is a mismatch that an operator must resolve', async () => {
  const refusal = apiError(10052, 'stream configuration update can not change sealed');
  const { manager } = serverWith({ ...wanted(1), max_age: 5 }, refusal);
  await expect(ensureStream(manager, wanted(1), silent)).rejects.toMatchObject({
    code: 'stream_mismatch',
    temporary: false,
    message: expect.stringContaining('can not change sealed): max_age is 5 and must be 0'),
  });
});

test('any other failure may pass, so the update is retried', async () => {
  const { manager } = serverWith({ ...wanted(1), max_age: 5 }, apiError(10008, 'JetStream system unavailable'));
  await expect(ensureStream(manager, wanted(1), silent)).rejects.toMatchObject({
    code: 'broker',
    temporary: true,
    message: 'stream CALLS_q cannot be updated: JetStream system unavailable',
  });
});
