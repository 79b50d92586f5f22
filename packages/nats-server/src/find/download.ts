import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';

export interface DownloadLimits {
  /** Until the server has begun to answer, redirects included. */
  readonly connectTimeoutMs: number;
  /** Between two pieces of the answer. */
  readonly stallTimeoutMs: number;
}

export interface Progress {
  readonly receivedBytes: number;
  /** Undefined if the server does not say. */
  readonly totalBytes: number | undefined;
}

/**
 * Returns the SHA-256 of what it wrote, in hex.
 *
 * @throws when the server does not answer in time, answers with an error, or breaks off; the file is then in part
 * there.
 */
export async function downloadFile(
  url: string,
  path: string,
  limits: DownloadLimits,
  onProgress: (progress: Progress) => void,
): Promise<string> {
  const hash = createHash('sha256');
  const file = await open(path, 'w');
  try {
    await download(url, limits, async (chunk, progress) => {
      hash.update(chunk);
      await file.write(chunk);
      onProgress(progress);
    });
  } finally {
    await file.close();
  }
  return hash.digest('hex');
}

async function download(
  url: string,
  { connectTimeoutMs, stallTimeoutMs }: DownloadLimits,
  onChunk: (chunk: Uint8Array, progress: Progress) => void | Promise<void>,
): Promise<void> {
  const watchdog = createWatchdog();
  try {
    watchdog.expectWithin(connectTimeoutMs, 'no answer');
    const response = await fetch(url, { signal: watchdog.signal });
    if (!response.ok || response.body === null) {
      throw new Error(`answered ${response.status}`);
    }
    const totalBytes = Number(response.headers.get('content-length')) || undefined;
    let receivedBytes = 0;
    watchdog.expectWithin(stallTimeoutMs, 'nothing more came');
    for await (const chunk of response.body) {
      receivedBytes += chunk.byteLength;
      await onChunk(chunk, { receivedBytes, totalBytes });
      watchdog.expectWithin(stallTimeoutMs, 'nothing more came');
    }
  } catch (error) {
    throw new Error(url, { cause: error });
  } finally {
    watchdog.stop();
  }
}

/** Aborts its signal when what was expected has not come in time; each expectation replaces the one before. */
function createWatchdog() {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  return {
    signal: controller.signal,
    expectWithin(timeoutMs: number, complaint: string): void {
      clearTimeout(timer);
      timer = setTimeout(() => controller.abort(new Error(`${complaint} within ${timeoutMs} ms`)), timeoutMs);
    },
    stop: (): void => clearTimeout(timer),
  };
}
