// Bounds the bytes that a worker holds, and shares them between callers.

export { type Budgets, createBudgets, minResponses } from './budgets.ts';
export { ByteBudget, type ByteShare, type CallBytes, isReserved, ownerOf, uncountedBytes } from './byte-budget.ts';
export { heldBytes, waitForBody } from './wait-for-body.ts';
