import type { FunctionConfig } from '../../functions/index.ts';
import { BodyStore } from '../bodies/index.ts';
import type { Broker } from '../connecting/index.ts';
import { Handovers } from '../consume/index.ts';
import type { Flows } from '../flows/index.ts';
import type { QueueTopology } from '../layout/index.ts';
import { CallFinder } from '../lookup/index.ts';
import type { Publisher } from '../publish/index.ts';
import { RateStore, RateWatch } from '../rates/index.ts';
import { RunningCallClient } from '../running-calls/index.ts';
import { StepQueue } from '../steps/index.ts';
import { type CallStore, CancelIntents } from '../store/index.ts';
import { CallCanceller } from './call-canceller.ts';
import { CallPurge } from './call-purge.ts';
import { CallRemover } from './call-remover.ts';
import { CancelSweeper } from './cancel-sweeper.ts';
import { ChainCanceller } from './chain-canceller.ts';

export interface CallControlOptions {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly calls: CallStore;
  readonly flows: Pick<Flows, 'removed'>;
  /** How long results are kept, in milliseconds; 0 is not at all. */
  readonly resultTtlMs: number;
  /** Retries of a function's calls, if a call does not say. */
  readonly maxRetries: (name: string) => number;
  /** A function under any of its names. Default: no function is known to have a rate. */
  readonly lookup?: ((name: string) => Pick<FunctionConfig, 'name' | 'rate'> | undefined) | undefined;
  /** All names of a function. Default: the one that it is called by. */
  readonly namesOf?: ((name: string) => readonly string[]) | undefined;
}

/** Looks calls up and ends them; wired once for gateways and for tests. `parts` are its building blocks. */
export function createCallControl(options: CallControlOptions) {
  const { broker, topology, publisher, calls, flows, resultTtlMs, maxRetries, namesOf } = options;
  const { lookup = () => undefined } = options;
  const { now, earliest } = broker.clock;
  const rates = new RateWatch({ store: new RateStore(publisher, topology), lookup, earliest });
  const intents = new CancelIntents(publisher, topology);
  const runningCalls = new RunningCallClient(broker);
  const handovers = new Handovers(publisher, topology);
  const finder = new CallFinder({ broker, topology, calls, intents, runningCalls, handovers, rates, resultTtlMs, now });
  const bodies = new BodyStore({ broker, topology, publisher });
  const remover = new CallRemover(topology);
  const parts = { finder, calls, intents, remover, runningCalls, flows, bodies, maxRetries, now };
  const canceller = new CallCanceller(parts);
  const steps = new StepQueue({ topology, publisher, lookup: () => undefined });
  return {
    finder,
    canceller,
    chains: new ChainCanceller({ canceller, steps, calls }),
    purge: new CallPurge(topology, canceller, namesOf),
    sweeper: new CancelSweeper(parts),
    handovers,
    intents,
    parts,
  };
}
