/** What belongs to each series of a metric, by the values of its labels, in the order of their names. */
export class SeriesMap<Value extends object> {
  readonly #create: () => Value;
  readonly #root: Branch<Value> = new Map();
  readonly #all: (readonly [labels: readonly string[], value: Value])[] = [];

  constructor(create: () => Value) {
    this.#create = create;
  }

  /** The series with these values of its labels. Costs a lookup for each label, and joins no strings. */
  at(labels: readonly string[]): Value {
    let branch = this.#root;
    for (let index = 0; index < labels.length - 1; index++) {
      branch = branchOf(branch, labels[index] ?? '');
    }
    const last = labels.at(-1) ?? '';
    const known = branch.get(last) as Value | undefined;
    return known ?? this.#add(branch, last, labels);
  }

  [Symbol.iterator](): Iterator<readonly [labels: readonly string[], value: Value]> {
    return this.#all.values();
  }

  #add(branch: Branch<Value>, last: string, labels: readonly string[]): Value {
    const value = this.#create();
    branch.set(last, value);
    this.#all.push([labels, value]);
    return value;
  }
}

type Branch<Value extends object> = Map<string, Value | Branch<Value>>;

function branchOf<Value extends object>(parent: Branch<Value>, label: string): Branch<Value> {
  const known = parent.get(label) as Branch<Value> | undefined;
  const branch: Branch<Value> = known ?? new Map();
  if (known === undefined) {
    parent.set(label, branch);
  }
  return branch;
}
