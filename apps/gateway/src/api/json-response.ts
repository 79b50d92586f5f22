/** Describes a JSON response, with an example. */
export function jsonResponse(description: string, schema: object, example: object, headers: object = {}) {
  return { description, headers, content: { 'application/json': { schema, example } } };
}
