/**
 * The steps of settling a call, in order, each named by what has just been done. Tests kill a worker at each of them;
 * ARCHITECTURE.md lists what a caller can observe then.
 */
type SettleStep =
  | 'function answered'
  | 'retry stored'
  | 'outcome stored'
  | 'turn ended'
  | 'dead letter stored'
  | 'step stored'
  | 'callback sent'
  | 'callback stored'
  | 'call acknowledged';

/** Called at every step; only tests use it. */
export type OnSettleStep = (step: SettleStep, callId: string) => void;
