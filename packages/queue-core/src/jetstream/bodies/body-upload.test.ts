import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { BodyRecords } from './body-records.ts';
import { BodyUpload } from './body-upload.ts';

const pausedMs = 100;

test('NATS has heard of an upload when its record was sent, however late the PubAck is read', async () => {
  const records: Pick<BodyRecords, 'put'> = {
    put: async () => {
      await sleep(pausedMs);
      return { kind: 'stored', sequence: 1, duplicate: false };
    },
  };
  const publisher = { publish: (): never => expect.fail('nothing is published') };
  const upload = await BodyUpload.begin({ records: records as BodyRecords, publisher: () => publisher, owner: '~' });
  if ('kind' in upload) {
    expect.fail('the upload has not begun');
  }
  expect(upload.unheardMs).toBeGreaterThanOrEqual(pausedMs - 1);
  await sleep(pausedMs);
  await upload.renew();
  expect(upload.unheardMs).toBeGreaterThanOrEqual(pausedMs - 1);
});
