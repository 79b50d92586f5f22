import { ReceiptSource, ReceiptStore } from '@asyncfn/queue-core/jetstream';
import type { Component } from '@asyncfn/service-kit';
import type { WorkContext } from '../work-context.ts';
import { CallAudit } from './call-audit.ts';

export function createAudit({ topology, publisher, config, metrics, logger, now }: WorkContext): Component {
  const audit = new CallAudit({
    source: new ReceiptSource({ topology, ackWaitMs: config.ackWaitMs }),
    store: new ReceiptStore(publisher, topology),
    metrics,
    logger,
    now,
  });
  return { name: 'audit', start: (signal) => void audit.run(signal, () => topology.ready) };
}
