import { UnexpectedAnswerError } from '../errors/index.ts';

/** Reads the JSON of an answer. */
export async function jsonOf<T>(response: Response): Promise<T> {
  return parseJson<T>(await response.text());
}

/** @throws UnexpectedAnswerError for what is not JSON */
export function parseJson<T>(text: string): T {
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new UnexpectedAnswerError('The answer is not JSON: is url that of a gateway?', error);
  }
}

/** Reads the bytes of an answer. */
export async function bytesOf(response: Response): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await response.arrayBuffer());
}

/** Reads an answer that says nothing but that all went well. */
export async function nothingOf(response: Response): Promise<true> {
  await response.arrayBuffer();
  return true;
}
