import type { IncomingMessage } from 'node:http';

export interface BodyHead {
  /** Size of the whole body. */
  bytes: number;
  head: Buffer;
}

/**
 * Reads a body to its end, however large it is, and keeps only its first bytes.
 * @param onChunk receives every piece of it
 */
export async function readBodyHead(
  request: IncomingMessage,
  headBytes: number,
  onChunk: (chunk: Buffer) => void,
): Promise<BodyHead> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes < headBytes) {
      kept.push(chunk.subarray(0, headBytes - bytes));
    }
    onChunk(chunk);
    bytes += chunk.length;
  }
  return { bytes, head: Buffer.concat(kept) };
}
