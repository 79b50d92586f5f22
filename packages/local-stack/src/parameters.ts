import { HttpProblem } from './http-listener.ts';

export interface IntegerRange {
  min: number;
  max: number;
  /** The value if the parameter is missing. */
  default?: number;
}

/**
 * A whole number from the query.
 * @throws {HttpProblem} 400 if it is missing without a default, or not in the range.
 */
export function integerParameter(query: URLSearchParams, name: string, range: IntegerRange): number {
  const text = query.get(name);
  if (text === null && range.default !== undefined) {
    return range.default;
  }
  const value = text !== null && /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= range.min && value <= range.max) {
    return value;
  }
  const fault = text === null ? 'is missing' : `is ${JSON.stringify(text.slice(0, 40))}`;
  throw new HttpProblem(400, `${name} ${fault}: it has to be a whole number from ${range.min} to ${range.max}`);
}
