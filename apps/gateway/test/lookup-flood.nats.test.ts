import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {} from '@asyncfn/nats-server/vitest';
import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { type RunningGateway, startReadyGateway } from './running-gateway.ts';
import { type TestToken, testToken, tokensFileOf } from './test-tokens.ts';

const noisy = testToken('noisy', { scopes: ['invoke'] });
const calm = testToken('calm', { scopes: ['invoke'] });

const floods = 256;
const looks = 7;

async function startWithTokens(): Promise<RunningGateway> {
  const folder = await mkdtemp(join(tmpdir(), 'lookup-flood-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'tokens.json');
  await writeFile(file, tokensFileOf([noisy, calm]), { mode: 0o600 });
  return await startReadyGateway({ AUTH: 'tokens', AUTH_TOKENS_FILE: file });
}

/** One of the callers, with connections of its own. */
class Client implements AsyncDisposable {
  readonly #pool: Pool;
  readonly #authorization: string;
  readonly #name: string;

  constructor({ apiUrl, name }: RunningGateway, { bearer }: TestToken, connections: number) {
    this.#pool = new Pool(apiUrl, { connections });
    this.#authorization = bearer;
    this.#name = name;
  }

  async accept(body: Buffer): Promise<string> {
    const path = `/async-function/${this.#name}`;
    const response = await this.#pool.request({ method: 'POST', path, headers: this.#headers, body });
    expect(response.statusCode).toBe(202);
    return ((await response.body.json()) as { callId: string }).callId;
  }

  /** Returns how long it takes to get the state of a call, in milliseconds. Asks again if it is turned away. */
  async look(callId: string): Promise<number> {
    const startedAt = performance.now();
    const path = `/async-function/${callId}`;
    for (;;) {
      const response = await this.#pool.request({ method: 'GET', path, headers: this.#headers });
      await response.body.dump();
      if (response.statusCode !== 503) {
        expect(response.statusCode).toBe(200);
        return performance.now() - startedAt;
      }
    }
  }

  get #headers() {
    return { authorization: this.#authorization };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#pool.destroy();
  }
}

test('a token that floods lookups waits for itself, and the lookup of another one takes a small part of its time', async () => {
  await using gateway = await startWithTokens();
  await using flooder = new Client(gateway, noisy, floods);
  await using other = new Client(gateway, calm, 1);
  const flooded = await Promise.all(Array.from({ length: floods }, () => flooder.accept(Buffer.alloc(4_096, 'x'))));
  const own = await other.accept(Buffer.from('small'));
  let isOver = false;
  const times: number[] = [];
  const flood = flooded.map(async (callId) => {
    while (!isOver) {
      times.push(await flooder.look(callId));
    }
  });
  const amid = await medianOf(() => other.look(own));
  isOver = true;
  await Promise.all(flood);
  // In the order of arrival it would take as long.
  expect(amid).toBeLessThan(median(times) / 3);
});

async function medianOf(look: () => Promise<number>): Promise<number> {
  const times: number[] = [];
  for (let made = 0; made < looks; made += 1) {
    times.push(await look());
  }
  return median(times);
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[times.length >> 1] ?? Number.NaN;
}
