import { setImmediate as nextTick } from 'node:timers/promises';
import { headers } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { createGroupCommit, type GroupCommitDependencies } from './create-group-commit.ts';
import type { Outgoing } from './publisher.ts';

interface Situation extends Pick<GroupCommitDependencies, 'mode' | 'declaredSyncAlways'> {
  readonly replicas: number;
}

/** Whether a dozen messages that come together are stored as a group, by a broker that does not tell its settings. */
async function storesGroups({ replicas, ...given }: Situation): Promise<boolean> {
  const sent: Outgoing[] = [];
  const groups = createGroupCommit({
    ...given,
    broker: { connection: undefined, domain: undefined, suspect: () => {} },
    topology: { layout: { replicas }, onReady: (listener) => listener({} as never) },
    publisher: {
      timeoutMs: 5_000,
      publish(message) {
        sent.push(message);
        return Promise.resolve({ kind: 'stored', sequence: 1, duplicate: false });
      },
    },
    logger: { info: () => {}, warn: () => {}, error: () => {} },
  });
  await nextTick();
  const message = () => ({ subject: 'a', headers: headers(), body: new Uint8Array(), group: 'default' });
  await Promise.all(Array.from({ length: 12 }, () => groups.publish(message())));
  return sent.length === 1;
}

const auto = { mode: 'auto', declaredSyncAlways: false, replicas: 1 } as const;

test.each([
  ['a broker that syncs every write of a single replica', { ...auto, declaredSyncAlways: true }, true],
  ['replicated streams, which group their syncs themselves', { ...auto, declaredSyncAlways: true, replicas: 3 }, false],
  ['a broker of which it is not known when it syncs', auto, false],
  ['any broker if the mode is on', { ...auto, mode: 'on', replicas: 3 }, true],
  ['no broker if the mode is off', { ...auto, mode: 'off', declaredSyncAlways: true }, false],
] as const)('groups for %s', async (_, situation, expected) => {
  expect(await storesGroups(situation)).toBe(expected);
});
