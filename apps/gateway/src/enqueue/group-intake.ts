import type { IncomingMessage } from 'node:http';
import type { Caller } from '@asyncfn/tokens';
import type { Refusal } from '../problem.ts';

/** An answer that is ready to be sent. */
export interface GroupAnswer {
  readonly kind: 'answer';
  /** Names and values in turn, beside those of every answer. */
  readonly headers: readonly string[];
  /** JSON */
  readonly body: string;
}

/** A group of functions that a request is for. */
export interface Group {
  /**
   * Stores a call for each of its functions, as a batch. Throws `QueueError` and `RefusalError`.
   * @param body is shared by all calls
   */
  accept(request: IncomingMessage, caller: Caller, body: Buffer): Promise<GroupAnswer | Refusal>;
}

/** Groups of functions: see `groups` in the functions file. */
export interface GroupIntake {
  /** The group that a request is for; undefined for a request to a function. */
  find(url: string): Group | undefined;
}
