// Carries out what follows an attempt.

export { type DeliveredCall, type End, expiredEnd, type SettleableDelivery } from './delivered-call.ts';
export { nakTimer, noteAndNak } from './hand-back.ts';
export {
  type CountedCall,
  type FollowUp,
  otherWorkerMs,
  ProgressCheck,
  type ProgressCheckOptions,
  undecidedMs,
} from './progress-check.ts';
export { Settler } from './settler.ts';
