import { ApiProblem } from './problem.ts';
import { forgetToken, token } from './session.ts';

/**
 * A request whose path, headers or body are not those of the API's description, such as a call of a function.
 *
 * @param path with the query, at the gateway that has served this page
 * @throws ApiProblem for any other answer than a success, and without one
 */
export async function request(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = new Headers(init.headers);
  if (token.value !== undefined) {
    headers.set('Authorization', `Bearer ${token.value}`);
  }
  let response: Response;
  try {
    response = await fetch(new URL(path, location.origin), {
      ...init,
      headers,
      credentials: 'omit',
      cache: 'no-store',
      redirect: 'error',
    });
  } catch (error) {
    throw ApiProblem.from(error);
  }
  if (response.status === 401) {
    forgetToken();
  }
  if (!response.ok) {
    throw ApiProblem.ofAnswer(response.status, await problemOf(response));
  }
  return response;
}

async function problemOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch {
    // A proxy has answered, and not with a problem: its status says what there is to say.
    return undefined;
  }
}
