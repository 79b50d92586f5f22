// Carries out what follows an attempt.

export { giveBackWord, noteAndGiveBack } from './hand-back.ts';
export {
  othersMs,
  ProgressCheck,
  type ProgressCheckOptions,
  type Rest,
  type RunningCall,
  undecidedMs,
} from './progress-check.ts';
export { type End, expiredEnd, type HeldCall, type HeldDelivery, Settler } from './settler.ts';
