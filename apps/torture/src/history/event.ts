import type { Plan } from '../plan.ts';

/** What a tenant asks for. */
export type Look = 'state' | 'result' | 'cancel';

/** Something that happened, as somebody outside of the processes saw it. `at` is Unix time in milliseconds. */
export type HistoryEvent = { readonly at: number } & (
  | {
      readonly kind: 'sent';
      readonly request: number;
      readonly gateway: string;
      readonly plan: Plan;
      /** That its sender has chosen. */
      readonly callId?: string | undefined;
    }
  | {
      readonly kind: 'answered';
      readonly request: number;
      readonly status: number;
      /** Of a problem. */
      readonly code?: string | undefined;
      readonly callId?: string | undefined;
      readonly startTime?: string | undefined;
    }
  /** Its cancel was answered. */
  | { readonly kind: 'cancelled'; readonly request: number; readonly status: number }
  /** Its cancel was sent. */
  | { readonly kind: 'cancelling'; readonly request: number }
  /** No answer came: the connection broke, or the time was up. */
  | { readonly kind: 'broken'; readonly request: number; readonly error: string }
  | {
      readonly kind: 'invoked';
      readonly request: number;
      /** Counts all invocations of the run. */
      readonly invocation: number;
      readonly callId: string;
      readonly startTime?: string | undefined;
      readonly retry: number;
      /** Who made it. */
      readonly worker: string;
    }
  /** The end of an invocation; without a status its client had gone before. */
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
  /** The end of its chain was told. */
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
  /** The end of a batch was told. */
  | {
      readonly kind: 'batch told';
      readonly batch: number;
      readonly webhookId: string;
      /** Its state, as JSON. */
      readonly content: string;
      /** What the receiver said to it. */
      readonly status: number;
    }
  | {
      readonly kind: 'called back';
      readonly request: number;
      readonly webhookId: string;
      readonly startTime?: string | undefined;
      readonly functionStatus: number;
      readonly retry: number;
      /** All that the callback tells of the call. */
      readonly content: string;
      /** The request whose result it brings; undefined for one without a result. */
      readonly about?: number | undefined;
      /** What the receiver said to it; 0 for nothing. */
      readonly status: number;
    }
  /** A tenant has asked for the call or its result, or wanted to cancel it, and had an answer. */
  | {
      readonly kind: 'looked';
      readonly request: number;
      readonly by: string;
      readonly what: Look;
      readonly status: number;
      /** The request whose result was given out. */
      readonly about?: number | undefined;
    }
  /** An end that is on record at the broker; `at` is the broker's time. */
  | {
      readonly kind: 'ended';
      readonly callId: string;
      /** Of a step: the first call of its chain. */
      readonly rootId?: string | undefined;
      readonly submitter?: string | undefined;
      readonly startTime?: string | undefined;
      readonly status: string;
      readonly attempts: number;
      readonly functionStatus?: number | undefined;
      readonly reason?: string | undefined;
    }
  /** The workers' own audit has found the call to be nowhere; `at` is the broker's time. */
  | {
      readonly kind: 'missed';
      readonly callId: string;
      readonly submitter?: string | undefined;
      readonly startTime?: string | undefined;
    }
  | FaultEvent
  /** Nothing happens any more; so many messages are left in the queues, and these, unless they are too many to tell. */
  | { readonly kind: 'quiet'; readonly queued: number; readonly left?: readonly string[] }
);

interface FaultEvent {
  readonly kind: 'fault';
  readonly fault: number;
  readonly name: string;
  readonly target: string;
  readonly phase: 'begins' | 'ends';
  /** Which workers may have lost a lease by it, so that an attempt may be made twice (P3): all, none, or one. */
  readonly breaksLeasesOf: string;
  /** What clocks are off by meanwhile, in milliseconds. */
  readonly jumpMs?: number | undefined;
}

export type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
