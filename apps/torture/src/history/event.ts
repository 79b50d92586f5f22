import type { Plan } from '../plan.ts';

/** What a tenant requests. */
export type Look = 'state' | 'result' | 'cancel';

/** An event as an observer outside of the processes sees it. `at` is Unix time in milliseconds. */
export type HistoryEvent = { readonly at: number } & (
  | {
      readonly kind: 'sent';
      readonly request: number;
      readonly gateway: string;
      readonly plan: Plan;
      /** The call id that its sender has chosen. */
      readonly callId?: string | undefined;
    }
  | {
      readonly kind: 'answered';
      readonly request: number;
      readonly status: number;
      /** The code of a problem. */
      readonly code?: string | undefined;
      readonly callId?: string | undefined;
      readonly startTime?: string | undefined;
    }
  /** A gateway answered its cancel. */
  | { readonly kind: 'cancelled'; readonly request: number; readonly status: number }
  /** Its cancel was sent. */
  | { readonly kind: 'cancelling'; readonly request: number }
  /** No answer came: the connection broke, or the request timed out. */
  | { readonly kind: 'broken'; readonly request: number; readonly error: string }
  | {
      readonly kind: 'invoked';
      readonly request: number;
      /** Counts all invocations of the run. */
      readonly invocation: number;
      readonly callId: string;
      readonly startTime?: string | undefined;
      readonly retry: number;
      /** The worker that made it. */
      readonly worker: string;
    }
  /** The end of an invocation; without a status if its client had gone before. */
  | {
      readonly kind: 'returned';
      readonly request: number;
      readonly invocation: number;
      readonly status?: number | undefined;
    }
  /** A step of the chain of the call was invoked. */
  | {
      readonly kind: 'stepped';
      readonly request: number;
      /** From 1. */
      readonly step: number;
      /** The id of its call. */
      readonly stepId: string;
      readonly content: string;
      readonly worker: string;
    }
  /** The callback for the end of its chain. */
  | {
      readonly kind: 'chain told';
      readonly request: number;
      readonly webhookId: string;
      readonly content: string;
      readonly status: number;
    }
  /** A batch was accepted, with a call for each of these requests. */
  | {
      readonly kind: 'batched';
      readonly batch: number;
      readonly batchId: string;
      readonly requests: readonly number[];
    }
  /** The callback for the end of the batch. */
  | {
      readonly kind: 'batch told';
      readonly batch: number;
      readonly webhookId: string;
      /** Its state, as JSON. */
      readonly content: string;
      /** The receiver's answer. */
      readonly status: number;
    }
  | {
      readonly kind: 'called back';
      readonly request: number;
      readonly webhookId: string;
      readonly startTime?: string | undefined;
      readonly functionStatus: number;
      readonly retry: number;
      /** The facts about the call that the callback carries. */
      readonly content: string;
      /** The request whose result the callback carries; undefined if it carries none. */
      readonly about?: number | undefined;
      /** The receiver's answer; 0 for none. */
      readonly status: number;
    }
  /** A tenant requested the call or its result, or tried to cancel it, and got an answer. */
  | {
      readonly kind: 'looked';
      readonly request: number;
      readonly by: string;
      readonly what: Look;
      readonly status: number;
      /** The request whose result the answer carries. */
      readonly about?: number | undefined;
    }
  /** An end that the broker has on record; `at` is the broker's time. */
  | {
      readonly kind: 'ended';
      readonly callId: string;
      /** For a step: the first call of its chain. */
      readonly rootId?: string | undefined;
      readonly submitter?: string | undefined;
      readonly startTime?: string | undefined;
      readonly status: string;
      readonly attempts: number;
      readonly functionStatus?: number | undefined;
      readonly reason?: string | undefined;
    }
  /** The workers' own audit did not find the call anywhere; `at` is the broker's time. */
  | {
      readonly kind: 'missed';
      readonly callId: string;
      readonly submitter?: string | undefined;
      readonly startTime?: string | undefined;
    }
  | FaultEvent
  /**
   * The system has come to rest. This many messages are left in the queues; they are listed unless there are too many.
   */
  | { readonly kind: 'quiet'; readonly queued: number; readonly left?: readonly string[] }
);

interface FaultEvent {
  readonly kind: 'fault';
  readonly fault: number;
  readonly name: string;
  readonly target: string;
  readonly phase: 'begins' | 'ends';
  /**
   * Which workers may have lost a lease during the fault, so that an attempt may be made twice (P3): all, none, or one.
   */
  readonly breaksLeasesOf: string;
  /** How far clocks are off during the fault, in milliseconds. */
  readonly jumpMs?: number | undefined;
}

export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
