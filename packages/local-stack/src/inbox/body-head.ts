import type { IncomingMessage } from 'node:http';
import { HttpProblem } from '../http-listener.ts';

export interface BodyHead {
  /** Size of the whole body. */
  bytes: number;
  head: Buffer;
}

export interface BodyLimits {
  /** The rest of a larger body is only counted. */
  headBytes: number;
  /** A larger body is refused with 413. */
  maxBytes: number;
}

/**
 * Reads a body to its end and keeps only its first bytes.
 * @param onChunk receives every piece of it
 */
export async function readBodyHead(
  request: IncomingMessage,
  limits: BodyLimits,
  onChunk: (chunk: Buffer) => void,
): Promise<BodyHead> {
  const kept: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    if (bytes < limits.headBytes) {
      kept.push(chunk.subarray(0, limits.headBytes - bytes));
    }
    onChunk(chunk);
    bytes += chunk.length;
    if (bytes > limits.maxBytes) {
      throw new HttpProblem(413, `a callback may have ${limits.maxBytes} bytes at most`);
    }
  }
  return { bytes, head: Buffer.concat(kept) };
}
