/** Stops processes where they are (SIGSTOP). */
export function pauseAll(pids: readonly number[]): void {
  for (const pid of pids) {
    process.kill(pid, 'SIGSTOP');
  }
}

/** Lets processes go on that were stopped. */
export function resumeAll(pids: readonly number[]): void {
  for (const pid of pids) {
    process.kill(pid, 'SIGCONT');
  }
}
