// Batches against single calls.

export { batchIntakeScenario } from './batch-intake.ts';
