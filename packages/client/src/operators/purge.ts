import type { Purged } from '../api/index.ts';
import { type RequestOptions, sendJson, type Transport } from '../http/index.ts';

export interface PurgeOptions extends RequestOptions {
  /** Is told how many calls have been cancelled so far, every few seconds. */
  readonly onProgress?: (purged: number) => void;
}

/** Between two answers that say that the purge goes on. */
const pauseMs = 1_000;

/** Cancels waiting calls, until all are. Returns how many. */
export async function purge(transport: Transport, path: string, options: PurgeOptions): Promise<number> {
  for (;;) {
    const { purged, done } = await sendJson<Purged>(transport, { method: 'POST', path, repeat: 'safe' }, options);
    options.onProgress?.(purged);
    if (done) {
      return purged;
    }
    await transport.clock.sleep(pauseMs, options.signal);
  }
}
