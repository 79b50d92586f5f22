import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '@asyncfn/stack';
import { eventually, startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { mutatedRequest, webhookSecret } from './fuzz/mutated-request.ts';
import { probe, type Reply } from './fuzz/probe.ts';
import { seededRandom } from './fuzz/seeded-random.ts';
import { startStack } from './harness/stack.ts';

/** `pnpm fuzz:gateway` sends 100,000. */
const requests = Number(process.env['FUZZ_REQUESTS'] ?? 4_000);
const seed = Number(process.env['FUZZ_SEED'] ?? 20_260_101);
const atOnce = 100;
const healthyEvery = 50;
const token = 'asyncfn_0123456789-0123456789-0123456789-012';

/** Why a reply breaks the rules for every request; undefined if it does not. */
function fault(bytes: Buffer, reply: Reply): string | undefined {
  if (reply.kind === 'nothing') {
    // Empty lines before a request are ignored (RFC 9112, 2.2): there was no request.
    return /^[\r\n]*$/.test(bytes.toString('latin1')) ? undefined : `was not answered: ${reply.why}`;
  }
  if (reply.status === 500) {
    return 'was answered 500';
  }
  const isProblem = /^content-type: application\/problem\+json\r?$/im.test(reply.head);
  return reply.status >= 400 && !isProblem ? `was answered ${reply.status} without a problem` : undefined;
}

test(
  `${requests} mutated requests are all answered, never by 500, and harm neither gateway nor queue`,
  async () => {
    await using fn = await startTestFunction();
    const secrets = await mkdtemp(join(tmpdir(), 'fuzz-'));
    await writeFile(join(secrets, 'one'), webhookSecret);
    const webhook = { verify: 'github', secretFiles: [join(secrets, 'one')] };
    await using stack = await startStack({
      // The worker knows only the queue of healthy calls: those of the fuzzer stay where they are.
      functions: { fuzzed: { url: 'http://127.0.0.1:9', webhook }, healthy: { url: fn.url, queue: 'healthy' } },
      gateways: 0,
      workerEnv: { QUEUES: 'healthy' },
    });
    const tokensFile = join(stack.folder, 'tokens.json');
    const hash = `sha256:${createHash('sha256').update(token).digest('hex')}`;
    await writeFile(tokensFile, JSON.stringify({ tokens: { fuzzer: { hash, scopes: ['admin'] } } }));
    const gateway = await stack.startGateway({ AUTH_TOKENS_FILE: tokensFile });
    const authorization = `Bearer ${token}`;
    const target = { name: 'fuzzed', authorization };
    const port = Number(new URL(gateway.url).port);

    await using client = new ApiClient(gateway.url, 4);
    const healthy = new Map<string, Buffer>();
    const statuses = new Map<number, number>();
    const faults: string[] = [];
    let next = 0;
    const sendAll = async (): Promise<void> => {
      while (next < requests && faults.length < 20) {
        const index = next++;
        const bytes = mutatedRequest(seed, index, target);
        const reply = await probe(port, bytes);
        const found = fault(bytes, reply);
        if (found !== undefined) {
          faults.push(
            `request ${index} of seed ${seed} ${found}: ${JSON.stringify(bytes.toString('latin1').slice(0, 300))}`,
          );
        }
        const status = reply.kind === 'answer' ? reply.status : 0;
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (index % healthyEvery === 0) {
          const body = seededRandom(index).bytes(index % 4_000);
          healthy.set(await client.accept('healthy', { headers: { authorization }, body }), body);
        }
      }
    };
    await Promise.all(Array.from({ length: atOnce }, sendAll));

    process.stdout.write(`${requests} requests of seed ${seed} by status: ${JSON.stringify([...statuses])}\n`);
    expect(faults).toEqual([]);
    // Some requests got beyond the first check, and not all were accepted.
    expect([...statuses.keys()]).toEqual(expect.arrayContaining([200, 202, 400, 401, 404, 405, 413, 431]));
    expect(gateway.logs.filter(({ level }) => level === 'error' || level === 'fatal')).toEqual([]);
    await eventually(() => fn.invocations.length === healthy.size);
    for (const { headers, body } of fn.invocations) {
      expect(healthy.get(String(headers['x-call-id']))?.equals(body)).toBe(true);
    }
    const { body: metrics } = await gateway.ops('/metrics');
    expect(metrics).toMatch(/http_requests_total\{method="POST",path="\/webhook\/:name",status="200"\} [1-9]/);
    expect(await gateway.stop()).toEqual({ code: 0, signal: null });
    await rm(secrets, { recursive: true });
  },
  120_000 + requests * 20,
);
