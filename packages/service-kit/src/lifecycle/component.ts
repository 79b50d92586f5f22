import type { Phase } from './phases.ts';

/**
 * A long-lived part of a process: a server, a connection, a loop. `composeService` starts a list of them in order and
 * stops it in reverse, so each part may rely on those before it for as long as it runs.
 */
export interface Component {
  /** One or two words by which errors name it: `callbacks`. */
  readonly name: string;
  /**
   * Begins to work, and resolves when it does. Called at most once. The signal aborts as soon as a stop is asked for,
   * before the first part is stopped: every loop ends with it. Default: there is nothing to start.
   */
  start?(signal: AbortSignal): Promise<void> | void;
  /**
   * Finishes what is in flight, once all parts after it have stopped. Runs before `stop`. Default: nothing is in
   * flight.
   */
  readonly drain?: Phase;
  /**
   * Ends the part. Runs after a failed start as well, so it must cope with what is only half there. Default: the signal
   * is all it takes.
   */
  readonly stop?: Phase;
}

/** Why a component could not be started. */
export class ComponentError extends Error {
  override readonly name = 'ComponentError';
  readonly code = 'component_failed';
  readonly component: string;

  constructor(component: string, cause: unknown) {
    super(`${component} could not be started: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
    this.component = component;
  }
}
