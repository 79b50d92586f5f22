// What an enqueue asks other rooms for: a batch for a group, a result for a caller who prefers it, and a place for a large body.

import type { Hash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import type { Call, CallIdentity } from '@asyncfn/queue-core';
import type { AcceptResult } from '@asyncfn/queue-core/jetstream';
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
  /** In pieces, for a client that may be slow, or at once if it is small. */
  readonly body: Readable | Buffer;
  /** Of the body, in bytes. */
  readonly length: number;
}

/** Waits for results on behalf of callers (RFC 7240). */
export interface PreferredWaits {
  /**
   * Undefined if the preference is not applied. Resolves to undefined if there is no result in time. Never rejects: the call is
   * accepted.
   */
  begin(call: PreferringCall): Promise<PreferredResult | undefined> | undefined;
}

/** A call whose body is large and has not been read. */
export interface LargeCall {
  /** Name of the token that it came with. */
  readonly caller: string | undefined;
  /** What has arrived before the body was known to be large. */
  readonly first: readonly Buffer[];
  /** Sees the body as well. */
  readonly fingerprint: Hash | undefined;
  /** Called once the body has room, before more of it is read. */
  readonly onAdmitted: () => void;
  /** The call without its body, when that has arrived. */
  readonly toCall: () => Call;
  /** Stores the call, when its body is stored. */
  readonly store: (call: Call) => Promise<AcceptResult>;
}

/** What became of a large call. */
export interface LargeResult {
  readonly kind: 'done';
  readonly call: Call;
  readonly result: AcceptResult;
}

/** Takes bodies that are too large for the message of their call, and stores them while they arrive. */
export interface LargeIntake {
  /** Largest body of a call, in bytes. */
  readonly maxBytes: number;
  /** Largest body that travels in the message of its call, in bytes. */
  readonly inlineBytes: number;
  /** Whether a body is large by its announced length. */
  isLarge(request: IncomingMessage): boolean;
  /** Stores the body and then the call (P1). Rejects only for an error of ours. */
  accept(request: IncomingMessage, large: LargeCall): Promise<LargeResult | Refusal>;
}
