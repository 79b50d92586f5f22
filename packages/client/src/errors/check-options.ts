import { OptionError } from './errors.ts';

/** The names of all options of a kind. */
export type OptionNames<T> = Readonly<Record<keyof T, true>>;

/**
 * A misspelt option would be left out without a word where no types are checked: with `callbackUrl` the result, with
 * `timeoutMs` the end of a wait.
 *
 * @param name of the argument or option that has them
 * @throws OptionError for an option that does not exist, and for what is no object
 */
export function checkOptions<T extends object>(options: T, names: OptionNames<T>, name = 'options'): void {
  const given: unknown = options;
  const all = Object.keys(names);
  if (typeof given !== 'object' || given === null) {
    throw new OptionError(`${name}: must be an object with ${all.join(', ')}`);
  }
  const unknown = Object.keys(given).find((key) => !Object.hasOwn(names, key));
  if (unknown !== undefined) {
    const meant = all.find((key) => key.toLowerCase() === unknown.toLowerCase());
    throw new OptionError(`${JSON.stringify(unknown)} is not an option; write ${meant ?? `one of ${all.join(', ')}`}`);
  }
}
