import type {} from '@asyncfn/nats-server/vitest';
import { BodyError } from '@asyncfn/queue-core/jetstream';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { startBench } from './settling-bench.ts';

const bodyObject = { id: 'A'.repeat(24), length: 200_000, sha256: 'B'.repeat(43) };

/** Gives half of the body, and then this error. */
function breaking(code: BodyError['code']) {
  return async function* (): AsyncGenerator<Uint8Array, void, undefined> {
    yield Buffer.alloc(bodyObject.length / 2);
    throw new BodyError(code, 'it breaks off');
  };
}

test('an attempt whose body the broker does not give now does not count', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({
    natsUrl: inject('natsUrl'),
    functionUrl: fn.url,
    readBody: breaking('body_unreadable'),
  });
  const call = await bench.put({ bodyObject, maxRetries: 0 });
  await bench.run(await bench.take());
  expect(await bench.store.findOutcome({ callId: call.id, startTime: call.startTime, generation: 0 })).toBeUndefined();
  expect(bench.logged).toContain('large body of a call cannot be read now: the call goes back to its queue');
  expect((await bench.store.findQueued({ ...bench.lane, callId: call.id, startTime: call.startTime }))?.retry).toBe(0);
  await eventually(() => fn.invocations.at(-1)?.aborted === true);
});

test('an attempt whose body is damaged counts, and the function has not got it as a whole', async () => {
  await using fn = await startTestFunction();
  await using bench = await startBench({
    natsUrl: inject('natsUrl'),
    functionUrl: fn.url,
    readBody: breaking('body_corrupt'),
  });
  const call = await bench.put({ bodyObject, maxRetries: 0 });
  await bench.run(await bench.take());
  const ended = await bench.store.findOutcome({ callId: call.id, startTime: call.startTime, generation: 0 });
  expect(ended?.outcome).toMatchObject({ status: 'failed', reason: 'retries_exhausted', functionStatus: 503 });
  expect(ended?.outcome.history).toMatchObject([{ error: 'unreachable: body_corrupt' }]);
  await eventually(() => fn.invocations.at(-1)?.aborted === true);
});
