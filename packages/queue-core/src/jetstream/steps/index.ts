// Stores the call that follows in a chain, once, or keeps it from being stored.

export { StepQueue, type StepResult } from './step-queue.ts';
