import { Type } from 'typebox';
import { type ProblemCode, problemMediaType, problems } from '../problem.ts';

const Problem = Type.Object(
  {
    type: Type.String({ description: 'Identifies the problem: `urn:asyncfn:problem:` and the code.' }),
    title: Type.String({ description: 'The problem in words; always the same for a code.' }),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong in this case.' }),
    code: Type.String({ description: 'Stable, for programs.' }),
  },
  { description: 'RFC 9457' },
);

/** Header of a temporary refusal. */
export const retryAfterHeader = {
  'Retry-After': { schema: Type.Integer({ minimum: 1 }), description: 'Seconds to wait.' },
};

/** Describes the refusal of a look-up whose submitter has too many waiting look-ups. */
export function crowdedResponse() {
  const description = 'The limit of waiting look-ups for this token is reached.';
  return problemResponse(description, ['too_many_waiting'], retryAfterHeader);
}

/** Describes the problems with one status, each with an example. */
export function problemResponse(description: string, codes: readonly ProblemCode[], headers: object = {}) {
  const examples = Object.fromEntries(codes.map((code) => [code, { value: example(code) }]));
  return { description, headers, content: { [problemMediaType]: { schema: Problem, examples } } };
}

function example(code: ProblemCode) {
  return { type: `urn:asyncfn:problem:${code}`, ...problems[code], detail: 'What is wrong in this case.', code };
}
