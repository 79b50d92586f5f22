/**
 * The steps of settling a call, in their order, each named by what has just been done. Tests stop a worker dead at each
 * of them; what a caller can observe then is listed in ARCHITECTURE.md.
 */
type SettleStep =
  | 'function answered'
  | 'retry stored'
  | 'outcome stored'
  | 'dead letter stored'
  | 'callback sent'
  | 'callback stored'
  | 'call acknowledged';

/** Told of every step; in production nobody listens. */
export type OnSettleStep = (step: SettleStep, callId: string) => void;
