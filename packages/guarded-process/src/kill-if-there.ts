import { kill } from 'node:process';

/** Sends a signal to a process; does nothing if no process has this pid. */
export function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
