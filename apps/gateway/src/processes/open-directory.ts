import { hostname } from 'node:os';
import { type BrokerLink, ProcessDirectory, reportProcess } from '@asyncfn/queue-core/jetstream';
import type { ProcessContext } from '@asyncfn/service-kit';

/** Reports the gateway to others that ask, and asks others itself. */
export function openDirectory(
  { broker }: Pick<BrokerLink, 'broker'>,
  { version, pid }: Pick<ProcessContext, 'version' | 'pid'>,
): ProcessDirectory {
  const facts = { kind: 'gateway', id: `${hostname().slice(0, 63)}:${pid}`, version, startedAt: Date.now() } as const;
  reportProcess(broker, () => facts);
  return new ProcessDirectory(broker);
}
