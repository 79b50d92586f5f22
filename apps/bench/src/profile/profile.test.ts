import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { ModuleMap } from './module-map.ts';
import { partOf, workerParts } from './parts.ts';
import { type CpuProfile, toShares } from './profile.ts';

const bundle = ['// ../../packages/queue-core/src/call/codec.ts', 'a', '// src/settle/settler.ts', 'b', 'c'].join('\n');

async function writeBundle(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'asyncfn-bundle-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'run.js');
  await writeFile(file, bundle);
  return pathToFileURL(file).href;
}

function node(id: number, functionName: string, url = '', lineNumber = 0, children: number[] = []) {
  return { id, callFrame: { functionName, url, lineNumber }, children };
}

test('a line of a bundle belongs to the module above it', async () => {
  const url = await writeBundle();
  const map = new ModuleMap();
  expect(map.moduleAt(url, 1)).toBe('/packages/queue-core/src/call/codec.ts');
  expect(map.moduleAt(url, 4)).toMatch(/src\/settle\/settler\.ts$/);
  expect(map.moduleAt('node:net', 4)).toBe('node:net');
});

test('a stack counts for the innermost module that has a part', () => {
  expect(partOf(['writev', 'node:net', '/x/node_modules/@nats-io/a.js', '/x/call/codec.ts'], workerParts)).toBe('NATS');
  expect(partOf(['(program)'], workerParts)).toBe('other');
});

test('time is divided among parts, without time that is idle, before the start, or paused', () => {
  const profile: CpuProfile = {
    nodes: [node(1, '(root)', '', 0, [2, 3, 4]), node(2, '(idle)'), node(3, '(garbage collector)'), node(4, 'now')],
    startTime: 0,
    samples: [3, 2, 3, 4, 4],
    timeDeltas: [100, 5_000, 300, 900_000, 200],
  };
  expect(Object.fromEntries(toShares(profile, workerParts, 200))).toEqual({
    garbage: 300 / 1_500,
    other: 1_200 / 1_500,
  });
});
