import { usageError } from '../failure/index.ts';

/** The value of `--settings`: a JSON object. */
export function parseSettings(text = '{}'): Record<string, unknown> {
  const advice = `write a JSON object, such as '{"name":"value"}'`;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
      return { ...value };
    }
  } catch (error) {
    throw usageError(`--settings: is not JSON: ${advice}`, { cause: error });
  }
  throw usageError(`--settings: is not an object: ${advice}`);
}
