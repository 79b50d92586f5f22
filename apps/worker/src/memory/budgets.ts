import { ByteBudget } from './byte-budget.ts';

/** What the worker holds for callers, by kind. Each kind has a room of its own, so that none of them waits for another. */
export interface Budgets {
  /** Bodies of calls that were taken. */
  readonly bodies: ByteBudget;
  /** Responses of functions, until their calls' ends are stored. */
  readonly results: ByteBudget;
  /** Bodies of callbacks that are being sent or wait for a slot. */
  readonly callbacks: ByteBudget;
}

/** So many of the largest responses fit into the budget. Fewer would have to wait for each other. */
export const minResponses = 6;

/** A third of `limitBytes` for each kind. */
export function createBudgets(limitBytes: number): Budgets {
  const third = Math.floor(limitBytes / 3);
  return { bodies: new ByteBudget(third), results: new ByteBudget(third), callbacks: new ByteBudget(third) };
}
