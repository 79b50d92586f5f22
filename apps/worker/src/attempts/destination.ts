import type { FunctionConfig } from '@asyncfn/queue-core/functions';
import type { Entrance } from '../limiter/index.ts';

/** The function of a lane, and the way to it. */
export interface Destination {
  readonly target: FunctionConfig;
  readonly gate: Entrance;
}

/** As `Destination`, for a function that may be gone from the register. */
export interface Lead {
  readonly target: FunctionConfig | undefined;
  readonly gate: Entrance;
}
