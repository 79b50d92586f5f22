// Carries out what follows an attempt.

export { nakTimer, noteAndNak } from './hand-back.ts';
export {
  type CountedCall,
  type FollowUp,
  otherWorkerMs,
  ProgressCheck,
  type ProgressCheckOptions,
  undecidedMs,
} from './progress-check.ts';
export { type DeliveredCall, type End, expiredEnd, type SettleableDelivery, Settler } from './settler.ts';
