import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { eventually } from '@asyncfn/testkit';
import { ModuleMap } from './module-map.ts';
import { type PartRule, partOf } from './parts.ts';

const intervalMicros = 250;

/** A `.cpuprofile`, as V8's inspector describes it (Profiler.Profile): times in microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
  readonly startTime: number;
}

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
  readonly children?: readonly number[];
}

/** `NODE_OPTIONS` of a process that writes a profile into `folder` when it ends. */
export function profileOptions(folder: string): string {
  const profiler = new URL('./profiler-main.js', import.meta.url);
  profiler.search = new URLSearchParams({ folder, micros: String(intervalMicros) }).toString();
  return `--import=${profiler.href}`;
}

/**
 * The share of its working time that the process `pid` spent in each part, from 0 to 1. Samples count from `since`, a
 * time of `process.hrtime` in microseconds. Waits until the profile has been written.
 */
export async function readShares(
  { folder, pid, since }: { folder: string; pid: number; since: number },
  rules: readonly PartRule[],
): Promise<ReadonlyMap<string, number>> {
  const file = join(folder, `${pid}.cpuprofile`);
  const profile = await eventually(async () => JSON.parse(await readFile(file, 'utf8')) as CpuProfile);
  return toShares(profile, rules, since);
}

/** A process that is paused or waits for a core has one long sample: no sample counts more than a few intervals. */
export function toShares(profile: CpuProfile, rules: readonly PartRule[], since: number): Map<string, number> {
  const partOfNode = toParts(profile, rules);
  const micros = new Map<string, number>();
  let [time, total] = [profile.startTime, 0];
  for (const [index, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index] ?? 0;
    const part = partOfNode.get(id);
    time += delta;
    if (time >= since && part !== undefined) {
      const counted = Math.min(delta, 4 * intervalMicros);
      micros.set(part, (micros.get(part) ?? 0) + counted);
      total += counted;
    }
  }
  return new Map([...micros].map(([part, value]) => [part, value / total]));
}

/** The part of each node; undefined for a node in which the process waits. */
function toParts({ nodes }: CpuProfile, rules: readonly PartRule[]): Map<number, string> {
  const map = new ModuleMap();
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parents = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node] as const)));
  function* modulesUpwards(id: number): Generator<string> {
    for (let node = byId.get(id); node !== undefined; node = parents.get(node.id)) {
      const { url, lineNumber, functionName } = node.callFrame;
      yield url === '' ? functionName : map.moduleAt(url, lineNumber);
    }
  }
  const working = nodes.filter(({ callFrame }) => callFrame.functionName !== '(idle)');
  return new Map(working.map(({ id }) => [id, partOf(modulesUpwards(id), rules)]));
}
