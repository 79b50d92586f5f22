import type { ProcessReport, ReportedLane } from '@asyncfn/queue-core';
import type { ProcessDirectory } from '@asyncfn/queue-core/jetstream';
import type { FastifyPluginCallbackTypebox } from '@fastify/type-provider-typebox';
import type { FastifyReply } from 'fastify';
import { keepFromCaches } from '../http/index.ts';
import { brokerAway, RefusalError } from '../problem.ts';
import { processesSchema } from './process-schemas.ts';

export interface ProcessOptions {
  readonly directory: Pick<ProcessDirectory, 'list'>;
}

export const processRoutes: FastifyPluginCallbackTypebox<ProcessOptions> = (app, { directory }, done) => {
  keepFromCaches(app);
  app.get('/system/processes', { config: { scope: 'admin' }, schema: processesSchema }, (_, reply) =>
    list(directory, reply),
  );
  done();
};

async function list(directory: ProcessOptions['directory'], reply: FastifyReply) {
  const reports = await directory.list();
  if (reports === undefined) {
    throw new RefusalError(brokerAway);
  }
  const workers = reports.flatMap(({ worker }) => worker ?? []);
  return reply.send({
    processes: reports.map(toView),
    functions: addUp(workers.flatMap(({ lanes }) => lanes)),
    audited: sum(workers.map(({ audited }) => audited)),
  });
}

function toView({ kind, id, version, startedAt, server, reconnects, memoryBytes, worker }: ProcessReport) {
  const inFlight = worker?.lanes.reduce((total, lane) => total + lane.inFlight, 0);
  return {
    kind,
    id,
    version,
    startedAt: new Date(startedAt).toISOString(),
    server,
    reconnects,
    memoryBytes,
    ...(worker !== undefined && { slots: worker.slots, inFlight }),
  };
}

/** Each function over all workers. Workers share a limit by each learning its part of it. */
function addUp(lanes: readonly ReportedLane[]): ReportedLane[] {
  const functions = new Map<string, ReportedLane>();
  for (const lane of lanes) {
    const known = functions.get(lane.function);
    const limits = [known?.limit, lane.limit].filter((limit) => limit !== undefined);
    functions.set(lane.function, {
      function: lane.function,
      inFlight: (known?.inFlight ?? 0) + lane.inFlight,
      attempts: (known?.attempts ?? 0) + lane.attempts,
      failed: (known?.failed ?? 0) + lane.failed,
      ...(limits.length > 0 && { limit: limits.reduce((total, limit) => total + limit, 0) }),
    });
  }
  return [...functions.values()].toSorted((a, b) => (a.function < b.function ? -1 : 1));
}

function sum(findings: readonly Readonly<Record<string, number>>[]) {
  const total = (of: string): number => findings.reduce((all, each) => all + (each[of] ?? 0), 0);
  return { ended: total('ended'), missing: total('missing'), unknown: total('unknown') };
}
