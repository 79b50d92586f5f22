import type { LoadSettings } from '../load/index.ts';

/** Something that accepts calls over HTTP and has them run: ours, or a reference. */
export interface System extends AsyncDisposable {
  /** Where calls are accepted. */
  readonly intake: Pick<LoadSettings, 'port' | 'paths'>;
  /** Gateway and broker, for CPU time and memory. */
  readonly pids: Readonly<Record<string, number>>;
  readonly workerPids: readonly number[];
  /** Throws away all calls that wait. */
  purge(): Promise<void>;
}

export interface SystemOptions {
  readonly natsServerBin: string;
  /** `always`: every write is on disk before it is confirmed. Default: nats-server's own, every two minutes. */
  readonly syncInterval?: 'always';
}

export interface RunOptions {
  /** Default: none, for what is about accepting alone. */
  readonly worker?: {
    readonly functionUrl: string;
    /** Calls in flight at a time. */
    readonly slots: number;
  };
}
