// Shares of slots for what callers choose.

export { type Claim, FairSlots, type Release, type Share } from './fair-slots.ts';
export { type Responsiveness, ResponsivenessTracker } from './responsiveness.ts';
