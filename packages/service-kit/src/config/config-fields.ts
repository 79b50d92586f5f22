import type { Field } from './config.ts';
import {
  choiceType,
  durationType,
  flagType,
  fractionType,
  integerType,
  listType,
  type Range,
  sizeType,
  textType,
  urlType,
  type ValueType,
} from './value-types.ts';

/** The options of every field. Without a `default` the variable is optional and its value `T | undefined`. */
export interface FieldOptions<D> {
  /** Name of the environment variable. */
  readonly env: string;
  /** One sentence for the table in the documentation. */
  readonly doc: string;
  readonly default?: D;
  /** The value is never shown, neither in an error nor in the documentation. */
  readonly secret?: true;
}

type Defaulted<T, D> = T | Extract<D, undefined>;

/** Any text. */
export function text<D extends string | undefined = undefined>(options: FieldOptions<D>): Field<Defaulted<string, D>> {
  return field(textType(), options);
}

/** A whole number in decimal digits, from `min` (0) to `max` (no limit). */
export function integer<D extends number | undefined = undefined>(
  options: FieldOptions<D> & Range,
): Field<Defaulted<number, D>> {
  return field(integerType(options), options);
}

/** A decimal number from 0 to 1. */
export function fraction<D extends number | undefined = undefined>(
  options: FieldOptions<D>,
): Field<Defaulted<number, D>> {
  return field(fractionType(), options);
}

/** A duration such as `250ms`, `10s`, `1h30m`; the value, `default`, `min` and `max` are milliseconds. */
export function duration<D extends number | undefined = undefined>(
  options: FieldOptions<D> & Range,
): Field<Defaulted<number, D>> {
  return field(durationType(options), options);
}

/** A size such as `512KiB`, `1MiB`; the value, `default`, `min` and `max` are bytes. */
export function size<D extends number | undefined = undefined>(
  options: FieldOptions<D> & Range,
): Field<Defaulted<number, D>> {
  return field(sizeType(options), options);
}

/** One of a few words. */
export function choice<const V extends string, D extends V | undefined = undefined>(
  options: FieldOptions<D> & { readonly values: readonly V[] },
): Field<Defaulted<V, D>> {
  return field(choiceType(options.values), options);
}

/** `true` or `false`. */
export function flag<D extends boolean | undefined = undefined>(
  options: FieldOptions<D>,
): Field<Defaulted<boolean, D>> {
  return field(flagType(), options);
}

interface UrlOptions {
  /** With the colon. Default `http:` and `https:`. */
  readonly protocols?: readonly string[];
}

const WEB = ['http:', 'https:'];

/** An absolute URL; the value is its text, unchanged. */
export function url<D extends string | undefined = undefined>(
  options: FieldOptions<D> & UrlOptions,
): Field<Defaulted<string, D>> {
  return field(urlType(options.protocols ?? WEB), options);
}

/** A comma-separated list of texts. */
export function list<D extends readonly string[] | undefined = undefined>(
  options: FieldOptions<D>,
): Field<Defaulted<readonly string[], D>> {
  return field(listType(textType()), options);
}

/** A comma-separated list of absolute URLs. */
export function urlList<D extends readonly string[] | undefined = undefined>(
  options: FieldOptions<D> & UrlOptions,
): Field<Defaulted<readonly string[], D>> {
  return field(listType(urlType(options.protocols ?? WEB)), options);
}

/** A comma-separated list of durations; the values, `default`, `min` and `max` are milliseconds. */
export function durationList<D extends readonly number[] | undefined = undefined>(
  options: FieldOptions<D> & Range,
): Field<Defaulted<readonly number[], D>> {
  return field(listType(durationType(options)), options);
}

/** A comma-separated list of whole numbers, each from `min` (0) to `max` (no limit). */
export function integerList<D extends readonly number[] | undefined = undefined>(
  options: FieldOptions<D> & Range,
): Field<Defaulted<readonly number[], D>> {
  return field(listType(integerType(options)), options);
}

/** A value of a type of one's own. */
export function value<T, D extends T | undefined = undefined>(
  type: ValueType<T>,
  options: FieldOptions<D>,
): Field<Defaulted<T, D>> {
  return field(type, options);
}

/** A comma-separated list of values of a type of one's own. */
export function listOf<T, D extends readonly T[] | undefined = undefined>(
  item: ValueType<T>,
  options: FieldOptions<D>,
): Field<Defaulted<readonly T[], D>> {
  return field(listType(item), options);
}

function field<T, D extends T | undefined>(type: ValueType<T>, options: FieldOptions<D>): Field<Defaulted<T, D>> {
  const { env, doc, secret = false } = options;
  // An empty list has no text: a variable that is set to nothing counts as not set.
  const defaultText = (options.default === undefined ? undefined : type.format(options.default)) || undefined;
  return {
    env,
    doc,
    secret,
    expected: type.expected,
    example: defaultText ?? type.example,
    defaultText,
    parse: (value) => type.parse(value),
    // An absent default is `undefined` in D as well, which the compiler cannot follow through the option's `?`.
    defaultValue: options.default as Defaulted<T, D>,
  };
}
