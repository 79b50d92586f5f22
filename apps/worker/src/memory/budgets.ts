import { ByteBudget } from './byte-budget.ts';

/**
 * Budgets for the bytes that the worker holds for callers. Each kind has its own, so that none of them waits for
 * another.
 */
export interface Budgets {
  /** Bodies of calls in flight. */
  readonly bodies: ByteBudget;
  /** Responses of functions, until the outcomes are stored. */
  readonly results: ByteBudget;
  /** Bodies of callbacks that are being sent or wait for a slot. */
  readonly callbacks: ByteBudget;
}

/** How many of the largest responses must fit into the budget. With fewer they would wait for each other. */
export const minResponses = 6;

/** A third of `limitBytes` for each kind. */
export function createBudgets(limitBytes: number): Budgets {
  const third = Math.floor(limitBytes / 3);
  return { bodies: new ByteBudget(third), results: new ByteBudget(third), callbacks: new ByteBudget(third) };
}
