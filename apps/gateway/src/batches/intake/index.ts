// Stores the calls of a batch, part by part, and seals it.

export { BatchAcceptance, countAccepted, demandStored, insist, putUntilDecided } from './batch-acceptance.ts';
export { type BatchOrigin, PartIntake, type PartIntakeOptions } from './part-intake.ts';
