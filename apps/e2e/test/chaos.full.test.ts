import { ApiClient, type Load, type Stack, startLoad } from '@asyncfn/stack';
import { eventually, integerBelow, type Random, startCallbackReceiver, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { seededRandom } from './harness/random-calls.ts';
import { startStack } from './harness/stack.ts';

/** A worker is killed more rarely than a call may kill workers before it is set aside. */
const blows: readonly ((stack: Stack) => Promise<unknown>)[] = [
  killWorker,
  killWorker,
  killGateway,
  killGateway,
  killNats,
  killNats,
  stopWorker,
  stopGateway,
];

test('whatever is killed or stopped under load, in any order, every accepted call is processed', async () => {
  const random = seededRandom();
  await using fn = await startTestFunction();
  await using inbox = await startCallbackReceiver();
  await using stack = await startStack({
    functions: { echo: fn.url },
    gateways: 2,
    workers: 2,
    workerEnv: { ACK_WAIT: '1s', SHUTDOWN_TIMEOUT: '2s' },
  });
  await using senders = new Senders(stack, inbox.url);
  for (const blow of shuffled(blows, random)) {
    senders.send();
    const before = inbox.callbacks.length;
    await eventually(() => inbox.callbacks.length > before + 100, {
      message: `stuck at ${blow.name}`,
    });
    await blow(stack);
  }
  const accepted = await senders.stop();
  await Promise.all(stack.gateways.slice(-2).map((gateway) => gateway.untilReady()));
  await stack.untilSettled();
  expect(await stack.untilAudited()).toBe(0);
  const untold = (): string[] => accepted.filter((callId) => inbox.byCallId(callId).length === 0);
  await eventually(() => untold().length === 0, { message: 'callbacks are missing' });

  expect(accepted.length).toBeGreaterThan(500);
  expect(accepted.filter((callId) => fn.countBy(callId) === 0)).toEqual([]);
});

/** Clients of every gateway that has run. */
class Senders implements AsyncDisposable {
  readonly #stack: Stack;
  readonly #callbackUrl: string;
  readonly #clients: ApiClient[] = [];
  readonly #loads: Load[] = [];

  constructor(stack: Stack, callbackUrl: string) {
    this.#stack = stack;
    this.#callbackUrl = callbackUrl;
  }

  /** Gives clients to each gateway that has none yet. */
  send(): void {
    for (const gateway of this.#stack.gateways.slice(this.#clients.length)) {
      const client = new ApiClient(gateway.url, 5);
      this.#clients.push(client);
      this.#loads.push(startLoad(client, 'echo', 5, { callbackUrl: this.#callbackUrl }));
    }
  }

  /** Ids of all calls that were accepted. */
  async stop(): Promise<string[]> {
    await Promise.all(this.#loads.map((load) => load.stop()));
    return this.#loads.flatMap(({ accepted }) => accepted);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#clients.map((client) => client[Symbol.asyncDispose]()));
  }
}

/** The oldest that still runs ends, and another one starts. */
async function killWorker(stack: Stack): Promise<void> {
  stack.workers.at(-2)?.kill('SIGKILL');
  await stack.startWorker();
}

async function killGateway(stack: Stack): Promise<void> {
  stack.gateways.at(-2)?.kill('SIGKILL');
  await stack.startGateway();
}

async function stopWorker(stack: Stack): Promise<void> {
  await Promise.all([stack.workers.at(-2)?.stop(), stack.startWorker()]);
}

async function stopGateway(stack: Stack): Promise<void> {
  await Promise.all([stack.gateways.at(-2)?.stop(), stack.startGateway()]);
}

async function killNats(stack: Stack): Promise<void> {
  await stack.nats.restart({ signal: 'SIGKILL' });
}

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[], random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const other = integerBelow(random, last + 1);
    [result[last], result[other]] = [result[other] as T, result[last] as T];
  }
  return result;
}
