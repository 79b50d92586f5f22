// The answers to an enqueue that are not about one accepted call: a batch for a group, and a result for a caller who prefers it.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { CallIdentity } from '@asyncfn/queue-core';
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

/** An accepted call whose caller sends `Prefer`. */
export interface PreferringCall {
  /** The header. */
  readonly prefer: string;
  readonly call: CallIdentity;
  readonly caller: Caller;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
}

/** The result of a call, as an answer to its caller. */
export interface PreferredResult {
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: Buffer;
  /** The same, for a client that may be slow. Default: `body` is sent at once. */
  readonly pieces: Readable | undefined;
}

/** Waits for results on behalf of callers (RFC 7240). */
export interface PreferredWaits {
  /**
   * Undefined if the preference is not applied. Resolves to undefined if there is no result in time. Never rejects: the call is
   * accepted.
   */
  begin(call: PreferringCall): Promise<PreferredResult | undefined> | undefined;
}
