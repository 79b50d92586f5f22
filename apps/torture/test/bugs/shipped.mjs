// The shipped gateway and worker, with the classes that the bugs change. A change affects only the process that runs
// it.
import { runProcess } from '@asyncfn/service-kit';

const packages = new URL('../../../../packages/', import.meta.url);
const apps = new URL('../../../', import.meta.url);

export const { CallQueue, CallStore, Flows, Publisher, QueueTopology, StepQueue } = await import(
  new URL('queue-core/dist/jetstream/index.js', packages).href
);
export const { FlowStore } = await import(new URL('queue-core/dist/jetstream/flows/flow-store.js', packages).href);
export const { IdClaims } = await import(new URL('queue-core/dist/jetstream/intake/id-claims.js', packages).href);
export const { CallRunner } = await import(new URL('worker/dist/attempts/call-runner.js', apps).href);
export const { StartPool } = await import(new URL('worker/dist/rates/start-pool.js', apps).href);
export const { LeaseRenewer } = await import(new URL('worker/dist/running/lease-renewer.js', apps).href);
export const { Settler } = await import(new URL('worker/dist/settle/settler.js', apps).href);

/** Replaces a method by the function that `change` returns; `change` receives the original. */
export function replace(type, method, change) {
  const original = type.prototype[method];
  if (original === undefined) {
    throw new TypeError(`${type.name} has no ${method}: the bug changes nothing`);
  }
  type.prototype[method] = change(original);
}

let isStarting = false;

/** Runs the gateway once the modules of all bugs are loaded: one process may have several. */
export function runGateway() {
  onceImported(async () => {
    const { gatewayConfig } = await import(new URL('gateway/dist/config.js', apps).href);
    const { createGateway } = await import(new URL('gateway/dist/service.js', apps).href);
    await runProcess({ process, name: 'gateway', version: '0.0.0', schema: gatewayConfig, create: createGateway });
  });
}

/** As `runGateway`. */
export function runWorker() {
  onceImported(async () => {
    const { workerConfig } = await import(new URL('worker/dist/config.js', apps).href);
    const { createWorker } = await import(new URL('worker/dist/service.js', apps).href);
    await runProcess({ process, name: 'worker', version: '0.0.0', schema: workerConfig, create: createWorker });
  });
}

function onceImported(start) {
  if (!isStarting) {
    isStarting = true;
    setImmediate(() => start());
  }
}
