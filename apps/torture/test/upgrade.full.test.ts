import { builtMain } from '@asyncfn/stack';
import { beforeAll, expect, test } from 'vitest';
import { upgradeAndBack, type Version } from '../src/faults/process-faults.ts';
import { buildPreviousVersion } from './previous-version.ts';
import { expectClean, runTorture } from './torture.ts';

let previous: Version;
beforeAll(async () => {
  previous = await buildPreviousVersion();
}, 400_000);

test('gateways and workers are upgraded from the previous version and back under load: nothing is lost or done twice', async () => {
  const current = { gateway: builtMain('gateway'), worker: builtMain('worker') };
  const result = await runTorture({
    durationMs: 20_000,
    gapMs: 1_000,
    haste: 1,
    // The previous version knows no flow keys.
    flowShare: 0,
    // The previous version cannot read bodies and responses that are stored apart: see docs/upgrades.md.
    fleet: { mains: previous, gatewayEnv: { OFFLOAD_BYTES: '512KiB' }, workerEnv: { OFFLOAD_BYTES: '512KiB' } },
    faults: [upgradeAndBack(previous, current)],
    limits: { slackMs: 5_000, handoverMs: 30_000 },
  });
  expectClean(result);
  expect(result.verdict.counts.accepted).toBeGreaterThan(500);
}, 400_000);
