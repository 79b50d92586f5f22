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

/** A state that has been reached, and how. */
interface Reached<S> {
  readonly from: string | undefined;
  readonly step: string;
  /** Until it is visited: all states at once would take gigabytes. */
  unvisited: S | undefined;
}

/**
 * Visits every state that a model can reach, breadth first, so that no counterexample is shorter. States are plain data,
 * compared by their JSON. Throws if there are more than `limit`: an unbounded model proves nothing.
 */
export function explore<S>(model: Model<S>, limit = 2_000_000): Exploration<S> {
  const first = { from: undefined, step: '', unvisited: model.initial };
  // An iteration over a map visits entries that are added meanwhile, in order. So the map is the queue of the search.
  const reached = new Map<string, Reached<S>>([[JSON.stringify(model.initial), first]]);
  for (const [key, entry] of reached) {
    const state = entry.unvisited as S;
    entry.unvisited = undefined;
    const steps = model.steps(state);
    const problem = model.wrong(state) ?? (steps.length === 0 ? model.unfinished(state) : undefined);
    if (problem !== undefined) {
      return { states: reached.size, counterexample: { problem, steps: wayTo(key, reached), state } };
    }
    for (const { name, next } of steps) {
      const nextKey = JSON.stringify(next);
      if (!reached.has(nextKey)) {
        reached.set(nextKey, { from: key, step: name, unvisited: next });
      }
    }
    if (reached.size > limit) {
      throw new RangeError(`the model has more than ${limit} states`);
    }
  }
  return { states: reached.size, counterexample: undefined };
}

function wayTo(key: string, reached: ReadonlyMap<string, Reached<unknown>>): string[] {
  const steps: string[] = [];
  for (let at = reached.get(key); at?.from !== undefined; at = reached.get(at.from)) {
    steps.unshift(at.step);
  }
  return steps;
}

/** A deep copy of a state, which is plain data: many times faster than `structuredClone`, which most of a search was. */
export function copyOf<T>(value: T): T {
  if (Array.isArray(value)) {
    return value.map(copyOf) as T;
  }
  if (typeof value !== 'object' || value === null) {
    return value;
  }
  const copy = { ...value };
  for (const key in copy) {
    copy[key] = copyOf(copy[key]);
  }
  return copy;
}
