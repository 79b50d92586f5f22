import type { AppProcess } from '@asyncfn/stack';

export interface MemoryWatch extends Disposable {
  /** The most resident memory that was measured since. */
  readonly peakBytes: number;
}

/** Measures the memory of a process ten times a second. */
export function watchMemory(app: AppProcess): MemoryWatch {
  let peakBytes = 0;
  const look = async (): Promise<void> => {
    const bytes = await app.metric('process_resident_memory_bytes').catch(() => 0);
    peakBytes = Math.max(peakBytes, bytes);
  };
  const timer = setInterval(() => void look(), 100);
  return {
    get peakBytes() {
      return peakBytes;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
