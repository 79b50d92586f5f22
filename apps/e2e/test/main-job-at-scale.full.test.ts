import { test } from 'vitest';
import { sendAnyBytes } from './harness/main-job.ts';

test('2,000 calls of any bytes are each invoked once, as they were sent, and each result comes back', async () => {
  await sendAnyBytes(2_000);
});
