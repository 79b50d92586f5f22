/** One variable: its type, its default and its documentation. Made by `text`, `integer`, `duration` and the like. */
export interface Field<T> {
  readonly env: string;
  readonly doc: string;
  readonly secret: boolean;
  /** With its article, to stand after "is not". */
  readonly expected: string;
  readonly example: string;
  /** `undefined` for an optional variable. */
  readonly defaultText: string | undefined;
  readonly defaultValue: T;
  /** `undefined` when the text is not a value of this field. */
  parse(text: string): T | undefined;
}

/** The configuration of a process: one {@link Field} for each of its properties. */
export type Schema = Readonly<Record<string, Field<unknown>>>;

/** The type of the values that {@link parseConfig} makes of a schema. */
export type ConfigOf<S extends Schema> = { readonly [K in keyof S]: S[K] extends Field<infer T> ? T : never };

/** One bad variable, or one bad place in a file that belongs to the configuration. */
export interface ConfigProblem {
  /** The variable, or the file with its line. */
  readonly name: string;
  /** The problem and the right form. */
  readonly problem: string;
}

/** Everything that is wrong with a configuration, at once. A process that meets it ends with exit code 78. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  readonly code = 'config_invalid';
  readonly problems: readonly ConfigProblem[];

  constructor(problems: readonly ConfigProblem[], options?: ErrorOptions) {
    super(problems.map(({ name, problem }) => `${name}: ${problem}`).join('\n'), options);
    this.problems = problems;
  }
}

/**
 * Reports contradictions between settings that are each valid.
 *
 * @throws ConfigError that lists the problems, if any
 */
export function refuseProblems(problems: readonly ConfigProblem[]): void {
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
}

/**
 * Parses the values of a schema from environment variables. Pure. An empty variable counts as not set, as in a compose
 * file's `${NAME:-}`. Variables outside the schema are ignored.
 *
 * @throws ConfigError that lists every bad variable
 */
export function parseConfig<const S extends Schema>(
  schema: S,
  env: Readonly<Record<string, string | undefined>>,
): ConfigOf<S> {
  const problems: ConfigProblem[] = [];
  const values = Object.entries(schema).map(([key, field]) => {
    const text = env[field.env];
    if (text === undefined || text === '') {
      return [key, field.defaultValue];
    }
    const value = field.parse(text);
    if (value === undefined) {
      problems.push({ name: field.env, problem: problemOf(field, text) });
    }
    return [key, value];
  });
  if (problems.length > 0) {
    throw new ConfigError(problems);
  }
  return Object.fromEntries(values) as ConfigOf<S>;
}

function problemOf(field: Field<unknown>, text: string): string {
  return `${shown(field, text)} is not ${field.expected}; for example ${field.example}`;
}

function shown(field: Field<unknown>, text: string): string {
  if (field.secret) {
    return 'its value (not shown)';
  }
  // A URL may contain a password, and its position in a malformed URL is unknown: hide too much rather than too little.
  return JSON.stringify(text.replace(/\/\/.*@/s, '//…@').replace(/\?.*$/s, '?…'));
}
