import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { attackerFunctions, type Stack, startStack } from '@asyncfn/stack';
import { eventually } from '@asyncfn/testkit';
import { purgeStream } from '../references/index.ts';
import type { SystemOptions } from '../systems/index.ts';
import { type Attacker, startAttacker } from './attacker.ts';
import { type Neighbour, startNeighbour } from './neighbour.ts';

/** The attacker has a token for each attack, so that no attack starts with shares that another one has used up. */
const attackTokens = 9;

/** The name of the neighbour's function, and of its token. */
export const neighbourName = 'neighbour';

/** A gateway and a worker with two callers, each with a token and functions of its own. */
export class SharedSystem implements AsyncDisposable {
  readonly stack: Stack;
  readonly neighbour: Neighbour;
  readonly attacker: Attacker;
  #attacks = 0;

  private constructor(stack: Stack, neighbour: Neighbour, attacker: Attacker) {
    this.stack = stack;
    this.neighbour = neighbour;
    this.attacker = attacker;
  }

  /** @param anyName whether every name is a function: one of the attacker's, if it is not registered */
  static async start({ natsServerBin }: SystemOptions, anyName: boolean): Promise<SharedSystem> {
    const [neighbour, attacker] = await Promise.all([startNeighbour(), startAttacker()]);
    const stack = await startStack({ natsServerBin, functions: {}, gateways: 0, workers: 0, logs: 'file' });
    const system = new SharedSystem(stack, neighbour, attacker);
    try {
      await system.#startProcesses(anyName);
    } catch (error) {
      await system[Symbol.asyncDispose]();
      throw error;
    }
    return system;
  }

  /** A token that the attacker has not used yet. */
  nextToken(): string {
    this.#attacks += 1;
    return `attacker-${this.#attacks % attackTokens}`;
  }

  /** Removes everything that an attack has left, and waits until nothing of it is in motion. */
  async clear(): Promise<void> {
    const { nats, worker } = this.stack;
    await eventually(
      async () => {
        await purgeStream(nats.url, 'CALLS_default');
        await purgeStream(nats.url, 'CALLBACKS');
        const inflight = await worker.metric('queue_worker_function_invocation_inflight');
        return inflight === 0 && (await this.stack.queued()) === 0;
      },
      { timeoutMs: 60_000, intervalMs: 200, message: 'the calls of the attacker do not end' },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.stack, this.neighbour, this.attacker].map((each) => each[Symbol.asyncDispose]()));
  }

  async #startProcesses(anyName: boolean): Promise<void> {
    const { stack, neighbour, attacker } = this;
    const own = [...attackerFunctions.map((name) => [name, `${attacker.url}/${name}`]), [neighbourName, neighbour.url]];
    const functions = Object.fromEntries(own.map(([name, url]) => [name, { url }]));
    const defaults = { url: `${attacker.url}/{name}` };
    await writeFile(stack.functionsFile, JSON.stringify({ functions, ...(anyName && { defaults }) }));
    const file = join(stack.folder, 'tokens.json');
    const names = [neighbourName, ...Array.from({ length: attackTokens }, (_, index) => `attacker-${index}`)];
    await writeFile(file, JSON.stringify({ tokens: Object.fromEntries(names.map((name) => [name, toToken(name)])) }));
    await stack.startGateway({ AUTH_TOKENS_FILE: file, MAX_UNREGISTERED_FUNCTIONS: '5000', MAX_BODY_BYTES: '64MiB' });
    await stack.startWorker();
  }
}

function toToken(name: string): object {
  return { hash: `sha256:${createHash('sha256').update(name).digest('hex')}`, scopes: ['invoke', 'read'] };
}
