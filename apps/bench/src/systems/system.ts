import type { LoadSettings } from '../load/index.ts';

/** A system that accepts calls over HTTP and runs them: asyncfn, or a reference. */
export interface System extends AsyncDisposable {
  /** The URL that accepts calls. */
  readonly intake: Pick<LoadSettings, 'port' | 'paths'>;
  /** Gateway and broker, for CPU time and memory. */
  readonly pids: Readonly<Record<string, number>>;
  readonly workerPids: readonly number[];
  /** Removes all waiting calls. */
  purge(): Promise<void>;
}

export interface SystemOptions {
  readonly natsServerBin: string;
  /** `always`: every write is on disk before it is confirmed. Default: nats-server's own, every two minutes. */
  readonly syncInterval?: 'always';
}

export interface RunOptions {
  /** Default: none, if only accepting is measured. */
  readonly worker?: {
    readonly functionUrl: string;
    /** Calls in flight at a time. */
    readonly slots: number;
  };
}
