import { formatDuration, formatSize, parseDuration, parseSize, parseUrl } from '@asyncfn/units';

/** How the text of a variable becomes a value, and how errors describe valid texts. */
export interface ValueType<T> {
  /** With its article, to stand after "is not": `a whole number between 0 and 65535`. */
  readonly expected: string;
  /** A text that this type accepts; for a secret only its form, so that it cannot be pasted. */
  readonly example: string;
  /** `undefined` when the text is not such a value. */
  parse(text: string): T | undefined;
  /** The text which `parse` reads as this value. */
  format(value: T): string;
}

/** Both ends belong to the range. */
export interface Range {
  readonly min?: number;
  readonly max?: number;
}

export function textType(): ValueType<string> {
  return { expected: 'a text', example: 'text', parse: (text) => text, format: (value) => value };
}

export function integerType(range: Range): ValueType<number> {
  return numberType('a whole number', range, parseInteger, String, 1);
}

export function durationType(range: Range): ValueType<number> {
  return numberType('a duration', range, parseDuration, formatDuration, 10_000);
}

export function sizeType(range: Range): ValueType<number> {
  return numberType('a size', range, parseSize, formatSize, 1_048_576);
}

export function choiceType<V extends string>(values: readonly V[]): ValueType<V> {
  return {
    expected: `one of ${values.join(', ')}`,
    example: values[0] ?? '',
    parse: (text) => values.find((value) => value === text),
    format: (value) => value,
  };
}

export function flagType(): ValueType<boolean> {
  const words = new Map([
    ['true', true],
    ['false', false],
  ]);
  return { expected: 'one of true, false', example: 'true', parse: (text) => words.get(text), format: String };
}

/**
 * A URL with user or password is refused: a URL is shown, and credentials have variables of their own.
 *
 * @param protocols as `URL` spells them, with the colon: `['http:', 'https:']`
 */
export function urlType(protocols: readonly string[]): ValueType<string> {
  const schemes = protocols.map((protocol) => `${protocol}//`);
  return {
    expected: `an absolute ${schemes.join(' or ')} URL without user and password`,
    example: `${schemes[0] ?? 'http://'}host:8080`,
    parse: (text) => (isUrlOf(protocols, text) ? text : undefined),
    format: (value) => value,
  };
}

/** In digits, `0.25`: no sign and no exponent. */
export function fractionType(): ValueType<number> {
  return {
    expected: 'a number between 0 and 1',
    example: '0.25',
    parse: (text) => (/^(0|1|0?\.\d+|1\.0*|0\.\d*)$/.test(text) ? Number(text) : undefined),
    format: String,
  };
}

/** Comma separated, blanks around an item are dropped, empty items are not allowed. */
export function listType<T>(item: ValueType<T>): ValueType<readonly T[]> {
  return {
    expected: `a comma-separated list, each item ${item.expected}`,
    example: item.example,
    parse: (text) => allDefined(text.split(',').map((part) => parseItem(item, part.trim()))),
    format: (values) => values.map((value) => item.format(value)).join(','),
  };
}

function numberType(
  kind: string,
  { min = 0, max = Number.MAX_SAFE_INTEGER }: Range,
  read: (text: string) => number | undefined,
  format: (value: number) => string,
  example: number,
): ValueType<number> {
  const inRange = (value: number) => value >= min && value <= max;
  return {
    expected: kind + rangeText(min, max, format),
    example: format(Math.min(Math.max(example, min), max)),
    parse(text) {
      const value = read(text);
      return value !== undefined && inRange(value) ? value : undefined;
    },
    format,
  };
}

function rangeText(min: number, max: number, format: (value: number) => string): string {
  if (max !== Number.MAX_SAFE_INTEGER) {
    return ` between ${format(min)} and ${format(max)}`;
  }
  return min === 0 ? '' : ` of at least ${format(min)}`;
}

function parseInteger(text: string): number | undefined {
  const value = /^-?\d+$/.test(text) ? Number(text) : undefined;
  return Number.isSafeInteger(value) ? value : undefined;
}

function isUrlOf(protocols: readonly string[], text: string): boolean {
  const url = parseUrl(text);
  if (url === undefined) {
    return false;
  }
  return protocols.includes(url.protocol) && url.host !== '' && url.username === '' && url.password === '';
}

function parseItem<T>(item: ValueType<T>, text: string): T | undefined {
  return text === '' ? undefined : item.parse(text);
}

function allDefined<T>(values: readonly (T | undefined)[]): readonly T[] | undefined {
  const defined = values.filter((value) => value !== undefined);
  return defined.length === values.length ? defined : undefined;
}
