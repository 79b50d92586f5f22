/** How a process ended: by itself with a code, or by a signal. Exactly one of the two is set. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What a parent tells its guardian: which children to end if the parent is gone, and which have ended. */
export type GuardianMessage =
  | {
      readonly type: 'guard';
      readonly pid: number;
      /** From SIGTERM to SIGKILL for a child whose parent is gone. */
      readonly orphanGraceMs: number;
    }
  | { readonly type: 'release'; readonly pid: number };
