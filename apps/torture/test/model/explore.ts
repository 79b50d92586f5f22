/** One thing that can happen next. */
export interface Step<S> {
  readonly name: string;
  readonly next: S;
}

export interface Model<S> {
  readonly initial: S;
  /** Everything that can happen in a state; empty if everything has come to rest. */
  steps(state: S): readonly Step<S>[];
  /** What is wrong in a state, in words. */
  wrong(state: S): string | undefined;
  /** What is wrong in a state in which nothing more can happen. */
  unfinished(state: S): string | undefined;
}

/** The shortest way to the problem. */
export interface Counterexample<S> {
  readonly problem: string;
  readonly steps: readonly string[];
  readonly state: S;
}

export interface Exploration<S> {
  readonly states: number;
  readonly counterexample: Counterexample<S> | undefined;
}

interface Origin {
  readonly from: string;
  readonly step: string;
}

/**
 * Visits every state that a model can reach, breadth first, so that no counterexample is shorter. States are compared
 * by their JSON. Throws if there are more than `limit`: an unbounded model proves nothing.
 */
export function explore<S>(model: Model<S>, limit = 2_000_000): Exploration<S> {
  const first = JSON.stringify(model.initial);
  const origins = new Map<string, Origin | undefined>([[first, undefined]]);
  // An iteration over a map visits entries that are added meanwhile, in order. So the map is the queue of the search.
  for (const key of origins.keys()) {
    const state = JSON.parse(key) as S;
    const steps = model.steps(state);
    const problem = model.wrong(state) ?? (steps.length === 0 ? model.unfinished(state) : undefined);
    if (problem !== undefined) {
      return { states: origins.size, counterexample: { problem, steps: wayTo(key, origins), state } };
    }
    for (const { name, next } of steps) {
      const nextKey = JSON.stringify(next);
      if (!origins.has(nextKey)) {
        origins.set(nextKey, { from: key, step: name });
      }
    }
    if (origins.size > limit) {
      throw new RangeError(`the model has more than ${limit} states`);
    }
  }
  return { states: origins.size, counterexample: undefined };
}

function wayTo(key: string, origins: ReadonlyMap<string, Origin | undefined>): string[] {
  const steps: string[] = [];
  for (let origin = origins.get(key); origin !== undefined; origin = origins.get(origin.from)) {
    steps.unshift(origin.step);
  }
  return steps;
}
