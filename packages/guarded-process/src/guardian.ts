import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GuardianMessage } from './guardian-protocol.ts';
import { killIfThere } from './kill-if-there.ts';

const main = fileURLToPath(new URL('./guardian-main.js', import.meta.url));

let current: Guardian | undefined;

/** The guardian of this process, which is started for its first child. Rejects if it cannot be started. */
export async function startGuardian(): Promise<Guardian> {
  if (current === undefined || current.isGone) {
    current = new Guardian();
  }
  const guardian = current;
  await guardian.started;
  return guardian;
}

/**
 * Ends the children of this process once this process is gone. It has a session of its own, and does not keep this
 * process. If it is killed, the children go at once: none may stay unguarded.
 */
export class Guardian {
  /** Resolves when it notices the end of this process. */
  readonly started: Promise<void>;
  readonly #process: ChildProcess;
  readonly #guarded = new Set<number>();
  #isGone = false;

  constructor() {
    this.#process = fork(main, { detached: true, execArgv: [], stdio: ['ignore', 'ignore', 'ignore', 'ipc'] });
    this.#process.once('error', () => this.#endUnguarded());
    this.#process.once('exit', () => this.#endUnguarded());
    this.started = this.#untilReady();
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  /** @param orphanGraceMs from SIGTERM to SIGKILL for the child once this process is gone. */
  guard(pid: number, orphanGraceMs: number): void {
    if (this.#isGone) {
      killIfThere(pid, 'SIGKILL');
      return;
    }
    this.#guarded.add(pid);
    this.#tell({ type: 'guard', pid, orphanGraceMs });
  }

  /** The child has ended. */
  release(pid: number): void {
    if (this.#guarded.delete(pid)) {
      this.#tell({ type: 'release', pid });
    }
  }

  async #untilReady(): Promise<void> {
    const ended = once(this.#process, 'exit').then(() => {
      throw new Error('it ended at its start');
    });
    await Promise.race([once(this.#process, 'message'), ended]);
    this.#process.unref();
    this.#process.channel?.unref();
  }

  #tell(message: GuardianMessage): void {
    // A failed send is followed by its end.
    this.#process.send(message, () => {});
  }

  #endUnguarded(): void {
    this.#isGone = true;
    for (const pid of this.#guarded) {
      killIfThere(pid, 'SIGKILL');
    }
    this.#guarded.clear();
  }
}
