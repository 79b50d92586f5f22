import type { Call } from '@asyncfn/queue-core';
import { expect, test } from 'vitest';
import type { ResponseFailure } from '../http/index.ts';
import { ReplyUpload, type ReplyUploadOptions } from './reply-upload.ts';

/** How a response fails whose upload a sweeper has removed, after NATS has heard nothing of it for so long. */
async function failureAfter(unheardMs: number): Promise<ResponseFailure | undefined> {
  const upload = {
    unheardMs,
    failure: { kind: 'refused', reason: 'conflict', detail: 'removed' },
    keepAlive: () => undefined,
    write: () => undefined,
  };
  const bodies = { upload: async () => upload } as unknown as ReplyUploadOptions['bodies'];
  const options = { bodies, isDenied: () => false, renewMs: 100, onFailure: () => undefined };
  const reply = new ReplyUpload({} as Call, [], options);
  await reply.write(new Uint8Array(1));
  return reply.failure;
}

test('an upload that is removed while its worker is cut off from NATS does not count as an attempt', async () => {
  expect(await failureAfter(400)).toMatchObject({ kind: 'not_stored' });
});

test('one that is removed although its worker was heard counts, so that the function is not called for ever', async () => {
  expect(await failureAfter(100)).toMatchObject({ kind: 'bad_response', code: 'response_removed' });
});
