import { execFile, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { eventually } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { startBusyStack } from './harness/busy-stack.ts';
import { readPanelQueries, rulesFile, ruleTestsFile } from './harness/documents/monitoring-files.ts';
import { startStack } from './harness/stack.ts';

/** Not part of `pnpm test`: it needs `prometheus` and `promtool` on the PATH, which it does not fetch. */
const run = promisify(execFile);

interface QueryAnswer {
  readonly status: string;
  readonly error?: string;
  readonly data: { readonly result: readonly { readonly value: readonly [number, string] }[] };
}

test('promtool finds no mistake in the rules, in their series and in the exports of the processes', async () => {
  expect((await run('promtool', ['check', 'rules', rulesFile])).stdout).toContain('SUCCESS');
  expect((await run('promtool', ['test', 'rules', ruleTestsFile])).stdout).toContain('SUCCESS');
  await using busy = await startBusyStack(startStack);
  for (const app of [busy.stack.gateway, busy.stack.worker]) {
    const { body } = await app.ops('/metrics');
    const complaints = (await lint(body)).filter((line) => !line.startsWith('gateway_invocation_function_started'));
    // OpenFaaS's name for a counter has no _total, and prom-client's own metrics are not ours to name.
    expect(complaints.filter((line) => !/^(nodejs|process)_|_nats_reconnect_total/.test(line))).toEqual([]);
  }
});

test('every panel of every dashboard has data during a load, and every rule can be evaluated', async () => {
  await using busy = await startBusyStack(startStack, { workers: 2 });
  const { stack } = busy;
  await stack.nats.restart();
  await using prometheus = await startPrometheus({
    'asyncfn-gateway': stack.gateways.map((app) => app.opsAddress),
    'asyncfn-worker': stack.workers.map((app) => app.opsAddress),
  });
  const queries = readPanelQueries();
  await eventually(
    async () => {
      const empty: string[] = [];
      for (const { dashboard, panel, expr } of queries) {
        if (!(await prometheus.hasData(expr))) {
          empty.push(`${dashboard} / ${panel}: ${expr}`);
        }
      }
      expect(empty).toEqual([]);
      return true;
    },
    { timeoutMs: 150_000, intervalMs: 3_000 },
  );
  expect(await prometheus.unhealthyRules()).toEqual([]);
  process.stdout.write(`${queries.length} queries have data\n`);
});

async function lint(exposition: string): Promise<string[]> {
  const child = spawn('promtool', ['check', 'metrics'], { stdio: ['pipe', 'ignore', 'pipe'] });
  const lines: string[] = [];
  child.stderr.on('data', (chunk: Buffer) => lines.push(...chunk.toString().split('\n')));
  child.stdin.end(exposition);
  await new Promise((resolve) => child.once('close', resolve));
  return lines.filter((line) => line !== '');
}

async function startPrometheus(jobs: Readonly<Record<string, readonly string[]>>) {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-prometheus-'));
  const scrapes = Object.entries(jobs).map(
    ([name, targets]) => `  - { job_name: ${name}, static_configs: [{ targets: ${JSON.stringify(targets)} }] }\n`,
  );
  const global = 'global: { scrape_interval: 2s, evaluation_interval: 2s }\n';
  const config = `${global}rule_files: [${JSON.stringify(rulesFile)}]\nscrape_configs:\n${scrapes.join('')}`;
  const file = join(folder, 'prometheus.yml');
  await writeFile(file, config);
  const port = await freePort();
  const args = [`--config.file=${file}`, `--storage.tsdb.path=${folder}`, `--web.listen-address=127.0.0.1:${port}`];
  const child = spawn('prometheus', args, { stdio: 'ignore' });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const url = `http://127.0.0.1:${port}`;
  await eventually(async () => (await fetch(`${url}/-/ready`).catch(() => undefined))?.status === 200, {
    timeoutMs: 30_000,
    message: 'prometheus does not start: is it on the PATH?',
  });
  return {
    async hasData(expr: string): Promise<boolean> {
      const response = await fetch(`${url}/api/v1/query?query=${encodeURIComponent(expr)}`);
      const { status, error, data } = (await response.json()) as QueryAnswer;
      if (status !== 'success') {
        throw new Error(`${expr}: ${error}`);
      }
      return data.result.some(({ value: [, value] }) => value !== 'NaN');
    },
    async unhealthyRules(): Promise<string[]> {
      const { data } = (await (await fetch(`${url}/api/v1/rules`)).json()) as {
        data: { groups: { rules: { name: string; health: string; lastError?: string }[] }[] };
      };
      return data.groups
        .flatMap(({ rules }) => rules)
        .flatMap(({ name, health, lastError }) => (health === 'ok' ? [] : [`${name}: ${health} ${lastError ?? ''}`]));
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
