import { UnreachableError } from '../errors/index.ts';

/**
 * Runs what ends with a signal of its own: after the time limit, or with the caller's signal.
 *
 * @param limitMs 0 for none
 * @throws UnreachableError `timeout`; the reason of the caller's signal
 */
export async function withTimeLimit<T>(
  limitMs: number,
  signal: AbortSignal | undefined,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const controller = new AbortController();
  const abort = (): void => controller.abort(signal?.reason);
  signal?.addEventListener('abort', abort, { once: true });
  const late = new UnreachableError('timeout', `No answer within ${limitMs} ms`);
  const timer = limitMs > 0 ? setTimeout(() => controller.abort(late), limitMs) : undefined;
  try {
    return await run(controller.signal);
  } catch (error) {
    throw controller.signal.aborted ? controller.signal.reason : error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', abort);
  }
}
