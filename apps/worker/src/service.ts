import { followedFunctions, loadFunctionsFile } from '@asyncfn/live-functions';
import { findSettingProblems } from '@asyncfn/queue-core/jetstream';
import {
  allConfigured,
  brokerAddress,
  type Component,
  composeService,
  type ProcessContext,
  refuseProblems,
  type Service,
  startTracing,
} from '@asyncfn/service-kit';
import { buildAttempts } from './attempts/index.ts';
import { createAudit } from './audit/index.ts';
import { buildBatches } from './batches/index.ts';
import { createConnections } from './broker/index.ts';
import { buildCallbacks, loadTokenSecrets } from './callbacks/index.ts';
import { contradictions, type WorkerConfig } from './config.ts';
import { buildExpiries } from './expiry/index.ts';
import { buildLanes, type Lanes } from './lanes/index.ts';
import { createMaintenance } from './maintenance/index.ts';
import { createOperations } from './operations.ts';
import { createRateShares } from './rates/index.ts';
import { createInFlight } from './running/index.ts';
import { buildSchedules } from './schedules/index.ts';
import { createWorkContext, type WorkerOverrides } from './work-context.ts';

/** A worker: takes calls out of the queues, invokes their functions, settles them and delivers the results. */
export async function createWorker(
  config: WorkerConfig,
  context: ProcessContext,
  overrides: WorkerOverrides = {},
): Promise<Service> {
  const [file, tokens] = await readSettings(config, context);
  const { logger, version } = context;
  const tracing = await startTracing(config, { serviceName: 'asyncfn-worker', version, logger });
  const [stopping, cutShort] = [new AbortController(), new AbortController()];
  const signals = { stopping: stopping.signal, cutShort: cutShort.signal };
  const openLanes = () => lanes.dispatcher.lanes();
  const work = createWorkContext({ config, context, overrides, file, tracing, lanes: openLanes, ...signals });
  const callbacks = buildCallbacks(work, () => tokens?.current);
  const expiries = buildExpiries(work, callbacks);
  const loops = [callbacks.loop, expiries.loop, ...buildBatches(work, callbacks), buildSchedules(work)];
  const { runner, leases, agent, handBack } = buildAttempts(work, {
    callbacks,
    expiries: expiries.store,
  });
  const rates = createRateShares(work);
  const lanes: Lanes = buildLanes({
    ...work,
    rates,
    slots: config.maxInflight,
    queues: config.queues,
    run: (delivery, target, gate, isFirst) => runner.run(delivery, target, gate, isFirst),
    handBack,
  });
  const audit = createAudit(work);
  const whenIdle = async (): Promise<void> => {
    await lanes.dispatcher.whenIdle();
    await Promise.all([runner.whenSettled(), ...loops.map((loop) => loop.whenIdle())]);
  };
  // Started in this order and stopped in reverse.
  const components: readonly Component[] = [
    createOperations(work),
    { name: 'tracing', stop: { name: 'export traces', timeoutMs: 5_000, run: () => tracing.stop() } },
    createConnections({
      ...work,
      source: lanes.source,
      leases: [leases, ...loops.map((loop) => loop.leases), audit.leases],
      agents: [agent, callbacks.agent],
    }),
    followedFunctions({ file, shared: work.shared, logger }),
    { name: 'tokens', start: (signal) => void tokens?.follow(logger, signal) },
    createMaintenance(work, logger),
    audit,
    ...loops,
    rates.component,
    createInFlight({ leases, whenIdle, handBack, cutShort, shutdownTimeoutMs: config.shutdownTimeoutMs, logger }),
    lanes.component,
  ];
  return composeService(components, { name: 'the worker', logger, stopping });
}

/** Reads the files that the configuration names, and reports all their problems at once. */
function readSettings(config: WorkerConfig, context: ProcessContext) {
  refuseProblems(contradictions(config));
  return allConfigured([
    loadFunctionsFile(config, context),
    loadTokenSecrets(config),
    findSettingProblems(brokerAddress(config)).then(refuseProblems),
  ]);
}
