// How many bytes a worker holds, and for whom.

export { type Budgets, createBudgets, minResponses } from './budgets.ts';
export { ByteBudget, type ByteShare, type CallBytes, isReserved, ownerOf, uncountedBytes } from './byte-budget.ts';
export { waitForBody } from './wait-for-body.ts';
