import type { FunctionRegister } from '@asyncfn/queue-core/functions';
import {
  type BodyStore,
  type Broker,
  type CallCanceller,
  CallEraser,
  type CallPurge,
  CallSearch,
  type CallStore,
  CallWatches,
  type CancelSweeper,
  type ChainCanceller,
  createCallControl,
  type DeadLetterStore,
  type Flows,
  LivingCalls,
  type Publisher,
  type QueueTopology,
} from '@asyncfn/queue-core/jetstream';
import { defaultRetryPolicy } from '@asyncfn/queue-core/settle';
import { type Component, every, type Logger } from '@asyncfn/service-kit';
import type { CallLookup } from '../auth/index.ts';
import { SharedLookups } from './shared-lookups.ts';

/** The parts with which a gateway follows and ends calls. */
export interface CallControl {
  readonly calls: CallLookup;
  readonly results: Pick<CallStore, 'readResult'>;
  /** The results that are stored apart. */
  readonly bodies: BodyStore;
  readonly watches: CallWatches;
  readonly canceller: ChainCanceller;
  /** Cancels single calls, and not what follows them in their chains. */
  readonly callCanceller: CallCanceller;
  readonly purge: CallPurge;
  readonly search: CallSearch;
  /** All calls that have not ended. */
  readonly living: LivingCalls;
  /** @param deadLetters those of all calls */
  readonly createEraser: (deadLetters: Pick<DeadLetterStore, 'remove'>) => CallEraser;
  /** Completes cancels that a gateway left unfinished. */
  readonly component: Component;
}

interface CallControlDependencies {
  readonly broker: Broker;
  readonly topology: QueueTopology;
  readonly publisher: Publisher;
  readonly bodies: BodyStore;
  readonly store: CallStore;
  readonly flows: Flows;
  readonly register: FunctionRegister;
  readonly resultTtlMs: number;
  readonly logger: Logger;
}

/** How often the gateway looks for cancels that a dead gateway left unfinished, in milliseconds. */
const sweepMs = 10_000;

export function buildCallControl({
  broker,
  bodies,
  topology,
  publisher,
  store,
  flows,
  register,
  resultTtlMs,
  logger,
}: CallControlDependencies): CallControl {
  const { finder, canceller, chains, purge, sweeper, intents } = createCallControl({
    broker,
    topology,
    publisher,
    calls: store,
    flows,
    resultTtlMs,
    maxRetries: (name) => register.lookup(name)?.retry.attempts ?? defaultRetryPolicy.attempts,
    namesOf: (name) => register.namesOf(name),
    lookup: (name) => register.lookup(name),
  });
  const calls = new SharedLookups(finder);
  return {
    calls,
    results: store,
    bodies,
    watches: new CallWatches(broker),
    canceller: chains,
    callCanceller: canceller,
    purge,
    search: new CallSearch({ broker, topology, finder, calls: store, resultTtlMs, now: broker.clock.now }),
    living: new LivingCalls({ topology, finder, now: broker.clock.now }),
    createEraser: (deadLetters) => new CallEraser({ topology, finder, calls: store, intents, deadLetters, bodies }),
    component: createSweeping(calls, sweeper, broker.clock.now, logger),
  };
}

/** Completes cancels that a gateway left unfinished. */
function createSweeping(calls: CallLookup, sweeper: CancelSweeper, now: () => number, logger: Logger): Component {
  const sweep = async (): Promise<void> => {
    const intents = calls.available ? await sweeper.sweep(now()) : 0;
    if (intents > 0) {
      logger.warn({ intents }, 'unfinished cancels are completed');
    }
  };
  const onError = (err: unknown): void => logger.warn({ err }, 'unfinished cancels cannot be read yet');
  return { name: 'cancellations', start: (signal) => void every(sweepMs, sweep, { signal, onError }) };
}
