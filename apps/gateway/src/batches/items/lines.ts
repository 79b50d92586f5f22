/** A line without its end, or the note that one was longer than allowed. */
export type LineOrTooLarge = { readonly kind: 'line'; readonly bytes: Buffer } | { readonly kind: 'too_large' };

const newline = 0x0a;
const tooLarge: LineOrTooLarge = { kind: 'too_large' };

/**
 * Splits a stream into lines. Holds no more than one line, and nothing of a line that is longer than `maxBytes`. The last line
 * may lack its end. Lines of white space alone are skipped.
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  maxBytes: number,
): AsyncGenerator<LineOrTooLarge, void, void> {
  let held: Buffer[] = [];
  let length = 0;
  const take = (): LineOrTooLarge | undefined => {
    const isTooLarge = length > maxBytes;
    const bytes = Buffer.concat(held);
    held = [];
    length = 0;
    return isTooLarge ? tooLarge : isBlank(bytes) ? undefined : { kind: 'line', bytes };
  };
  const add = (piece: Buffer): void => {
    length += piece.length;
    if (length > maxBytes) {
      held = [];
    } else if (piece.length > 0) {
      held.push(piece);
    }
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      add(chunk.subarray(start, end));
      start = end + 1;
      const line = take();
      if (line !== undefined) {
        yield line;
      }
    }
    add(chunk.subarray(start));
  }
  const last = take();
  if (last !== undefined) {
    yield last;
  }
}

function isBlank(bytes: Buffer): boolean {
  return bytes.every((byte) => byte === 0x20 || byte === 0x09 || byte === 0x0d);
}
