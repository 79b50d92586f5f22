import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { createInFlight } from './in-flight.ts';

interface Held {
  readonly id: string;
  settled: boolean;
}

/** Calls that end when the test says so, and what a stop did with them. */
function setUp(ids: readonly string[], shutdownTimeoutMs: number) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const calls: Held[] = ids.map((id) => ({ id, settled: false }));
  const handedBack: string[] = [];
  const cutShort = new AbortController();
  let finish = (): void => {};
  const idle = new Promise<void>((resolve) => {
    finish = resolve;
    cutShort.signal.addEventListener('abort', () => resolve());
  });
  const component = createInFlight<Held>({
    leases: { deliveries: () => calls.filter(({ settled }) => !settled) },
    whenIdle: () => idle,
    handBack: async ({ id }) => void handedBack.push(id),
    cutShort,
    shutdownTimeoutMs,
    logger: createLogger({ name: 'worker', level: 'info', format: 'json', destination }),
  });
  const { signal } = new AbortController();
  const stop = async (): Promise<void> => {
    await component.drain?.run(signal);
    await component.stop?.run(signal);
  };
  return { calls, handedBack, cutShort, lines, finish, stop };
}

test('a stop waits for the calls in flight, and hands back none that has ended', async () => {
  const { calls, handedBack, cutShort, lines, finish, stop } = setUp(['one'], 60_000);
  const stopped = stop();
  expect(cutShort.signal.aborted).toBe(false);
  (calls[0] as Held).settled = true;
  finish();
  await stopped;
  expect(handedBack).toEqual([]);
  expect(lines).toEqual([]);
});

test('calls that outlast the time of the stop are cut short, and go back unless they were settled then', async () => {
  const { calls, handedBack, cutShort, lines, stop } = setUp(['slow', 'slower'], 5);
  cutShort.signal.addEventListener('abort', () => {
    (calls[0] as Held).settled = true;
  });
  await stop();
  expect(handedBack).toEqual(['slower']);
  expect(lines).toMatchObject([{ level: 'warn', calls: 2, timeoutMs: 5 }]);
});
