import type { ApiPaths } from '@asyncfn/client';
import createClient, { type Middleware } from 'openapi-fetch';
import { ApiProblem } from './problem.ts';
import { forgetToken, token } from './session.ts';

/**
 * The API of the gateway that has served this page, typed by its OpenAPI description. Credentials of the browser are left
 * out: it would ask for a name and a password itself.
 */
export const api = createClient<ApiPaths>({ baseUrl: location.origin, credentials: 'omit', cache: 'no-store' });

const authorize: Middleware = {
  onRequest({ request }) {
    if (token.value !== undefined) {
      request.headers.set('Authorization', `Bearer ${token.value}`);
    }
  },
  onResponse({ request, response }) {
    // An answer may come after another token was entered.
    const isCurrent = request.headers.get('Authorization') === `Bearer ${token.value}`;
    if (response.status === 401 && isCurrent) {
      forgetToken();
    }
  },
};

api.use(authorize);

interface Answer<T> {
  readonly data?: T;
  readonly error?: unknown;
  readonly response: Response;
}

/**
 * The content of an answer.
 *
 * @throws ApiProblem for any other answer than a success, and without one
 */
export async function read<T>(pending: Promise<Answer<T>>): Promise<NonNullable<T>> {
  const { data, response } = await answerOf(pending);
  // An answer without content, such as 204, is a success as well.
  return (data ?? (response.ok ? {} : undefined)) as NonNullable<T>;
}

/** As `read`, with the headers of the answer. */
export async function answerOf<T>(pending: Promise<Answer<T>>): Promise<Answer<T>> {
  let answer: Answer<T>;
  try {
    answer = await pending;
  } catch (error) {
    throw ApiProblem.from(error);
  }
  if (!answer.response.ok) {
    throw ApiProblem.ofAnswer(answer.response.status, answer.error);
  }
  return answer;
}
