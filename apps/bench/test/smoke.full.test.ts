import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type {} from '@asyncfn/nats-server/vitest';
import { expect, inject, test } from 'vitest';
import type { Report } from '../src/report/report.ts';

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));

/** One of each kind of subject. The others are made of the same parts, and would take minutes. */
const ours = ['accept', 'drain', 'end-to-end', 'backlog'];

test('accepting, draining, the whole way and a backlog are measured: each subject yields its figures', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-bench-'));
  const out = join(folder, 'numbers');
  const env = { ...process.env, NATS_SERVER_BIN: inject('natsServerBin') };
  await promisify(execFile)(process.execPath, [main, '--smoke', '--out', out, ...ours], { env, maxBuffer: 2 ** 24 });
  const report = JSON.parse(await readFile(`${out}.json`, 'utf8')) as Report;
  const markdown = await readFile(`${out}.md`, 'utf8');
  await rm(folder, { recursive: true });

  expect(report.scenarios.length).toBeGreaterThanOrEqual(ours.length);
  for (const { title, figures, cases } of report.scenarios) {
    expect(markdown).toContain(`### ${title}`);
    const subjects = cases.flatMap((each) => each.subjects);
    for (const { subject, rounds, absent } of subjects) {
      const main = figures[0]?.name ?? '';
      expect(absent === undefined || subject.startsWith('bullmq'), `${title}: ${subject} is absent: ${absent}`).toBe(
        true,
      );
      expect(
        rounds.every((round) => (round[main] ?? 0) > 0),
        `${title}: ${subject} has no ${main}`,
      ).toBe(true);
    }
  }
}, 240_000);
