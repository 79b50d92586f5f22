import type { TLocalizedValidationError } from 'typebox/error';
import { Settings } from 'typebox/system';

/** Something wrong at a place of a document. */
export interface Found {
  readonly keys: readonly string[];
  readonly problem: string;
}

// TypeBox stops at 8 errors; a person wants them all, within reason.
Settings.Set({ maxErrors: 100 });

/**
 * The problems of a document that does not match a schema: one for each place, and only the innermost.
 *
 * @param errors all errors of TypeBox
 * @param expectationOf the expected value at a place, as "must be ..."; undefined for a map of settings
 */
export function shapeProblems(
  errors: readonly TLocalizedValidationError[],
  expectationOf: (keys: readonly string[]) => string | undefined,
): Found[] {
  const byPath = new Map<string, Found>();
  for (const error of errors) {
    const keys = error.instancePath.split('/').slice(1).map(unescapePointer);
    for (const found of expand(keys, error, expectationOf)) {
      byPath.set(found.keys.join('\0'), byPath.get(found.keys.join('\0')) ?? found);
    }
  }
  // A wrong part makes its parents wrong as well: only the innermost is worth a line.
  const all = [...byPath.values()];
  return all.filter((found) => !all.some((other) => other !== found && isPrefix(found.keys, other.keys)));
}

function expand(
  keys: readonly string[],
  error: TLocalizedValidationError,
  expectationOf: (keys: readonly string[]) => string | undefined,
): Found[] {
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((name) => ({
      keys: [...keys, name],
      problem: `is missing; ${expectationOf([...keys, name]) ?? 'it is required'}`,
    }));
  }
  if (error.keyword === 'additionalProperties') {
    return error.params.additionalProperties.map((name) => ({
      keys: [...keys, name],
      problem: 'is not a known setting',
    }));
  }
  if (error.keyword === 'boolean') {
    return []; // the same unknown setting, reported from inside
  }
  return [{ keys, problem: expectationOf(keys) ?? 'must be a map of settings' }];
}

function isPrefix(short: readonly string[], long: readonly string[]): boolean {
  return short.length < long.length && short.every((key, index) => key === long[index]);
}

function unescapePointer(token: string): string {
  return token.replaceAll('~1', '/').replaceAll('~0', '~');
}
