import { UnexpectedAnswerError } from '../errors/index.ts';

/** Reads the JSON of an answer. */
export async function jsonOf<T>(response: Response): Promise<T> {
  const text = await response.text();
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UnexpectedAnswerError(`The answer (${response.status}) is not JSON: is url that of a gateway?`, error);
  }
}

/** Reads the bytes of an answer. */
export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}
