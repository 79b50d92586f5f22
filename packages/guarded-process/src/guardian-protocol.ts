/** How a process ended: by itself with a code, or by a signal. Exactly one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The one message from the parent to its guardian: what to run. */
export interface RunMessage {
  readonly command: string;
  readonly args: readonly string[];
  /** Default: the parent's. */
  readonly cwd?: string;
  /** Default: the parent's. */
  readonly env?: NodeJS.ProcessEnv;
  /** From SIGTERM to SIGKILL for a child whose parent is gone. */
  readonly orphanGraceMs: number;
}

/** What the guardian reports: one of the first two, and after `spawned` one `exited`. */
export type GuardianMessage =
  | { readonly type: 'spawned'; readonly pid: number }
  | { readonly type: 'refused'; readonly code: string; readonly message: string }
  | ({ readonly type: 'exited' } & ProcessExit);
