import type { CallbackObjection } from '@asyncfn/queue-core';

/** A callback that may not be sent where it would go. Trying again changes nothing. */
export class CallbackRefusedError extends Error {
  override readonly name = 'CallbackRefusedError';
  readonly code = 'callback_refused';

  constructor({ detail }: CallbackObjection) {
    super(`the callback is not sent: ${detail}`);
  }
}
