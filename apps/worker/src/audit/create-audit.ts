import type { ReceiptBatch } from '@asyncfn/queue-core';
import { type ReceiptDelivery, ReceiptSource, ReceiptStore } from '@asyncfn/queue-core/jetstream';
import { sleep } from '@asyncfn/service-kit';
import { WorkLoop } from '../running/index.ts';
import type { WorkContext } from '../work-context.ts';
import { CallAudit } from './call-audit.ts';

/** Pause between two batches, so that the audit puts little load on the broker. The loop adds up to 100 ms. */
const pauseMs = 150;

export function createAudit(work: WorkContext): WorkLoop<ReceiptBatch, ReceiptDelivery> {
  const { topology, publisher, config } = work;
  const audit = new CallAudit({ ...work, store: new ReceiptStore(publisher, topology) });
  return new WorkLoop(work, {
    name: 'audit',
    what: 'receipt',
    source: new ReceiptSource({ topology, ackWaitMs: config.ackWaitMs }),
    room: (inFlight) => 1 - inFlight,
    async work(delivery, batch) {
      await audit.take(delivery, batch);
      await sleep(pauseMs);
    },
  });
}
