/** A header that a signature depends on was sent twice: two servers on the way could read different ones. */
export class SentTwice extends Error {
  override readonly name = 'SentTwice';

  constructor(header: string) {
    super(`${header} was sent more than once`);
  }
}

/**
 * The value of a header that may be sent once; undefined if it is absent or empty.
 *
 * @param rawHeaders names and values in turn
 * @param lowerName in lower case
 * @throws SentTwice
 */
export function readOnce(rawHeaders: readonly string[], lowerName: string): string | undefined {
  let found: string | undefined;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? '';
    if (name.length === lowerName.length && name.toLowerCase() === lowerName) {
      if (found !== undefined) {
        throw new SentTwice(lowerName);
      }
      found = rawHeaders[at + 1] ?? '';
    }
  }
  return found === '' ? undefined : found;
}
