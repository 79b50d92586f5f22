import { type ChildProcess, fork } from 'node:child_process';
import { kill } from 'node:process';
import { finished, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { GuardianMessage, ProcessExit, RunMessage } from './guardian-protocol.ts';
import { createLineSplitter } from './line-splitter.ts';
import { isStandingStill } from './process-state.ts';
import { SpawnError } from './spawn-error.ts';

/** A grandchild may hold the output open for ever; the child's own lines have long arrived by then. */
const OUTPUT_GRACE_MS = 500;
const DEFAULT_ORPHAN_GRACE_MS = 5_000;
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const PAUSE_POLL_MS = 2;
const GUARDIAN = fileURLToPath(new URL('./guardian-main.js', import.meta.url));

export type OutputStream = 'stdout' | 'stderr';

export interface GuardedOptions {
  /** Working folder. Default: the parent's. */
  readonly cwd?: string;
  /** The whole environment, nothing is added to it. Default: the parent's. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long the child may take over its own end once this process is gone. Default: 5,000. */
  readonly orphanGraceMs?: number;
  /** What the process list shows as the guardian's argument. Default: the command. */
  readonly name?: string;
  /** Gets each line of output without its line end, in order for each stream. Default: the output is thrown away. */
  readonly onLine?: (line: string, stream: OutputStream) => void;
}

/** A running child. Leaving an `await using` scope stops it. */
export interface GuardedProcess extends AsyncDisposable {
  /** Of the child itself, not of its guardian. */
  readonly pid: number;
  /** Resolves, never rejects, when the child has ended and its last line has been handed over. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to the child; does nothing once it has ended. */
  signal(name: NodeJS.Signals): void;
  /**
   * SIGSTOP; resolves when every thread of the child stands still, so that nothing of what is sent to it after that is
   * answered. `signal('SIGCONT')` lets it go on. Where there is no /proc it cannot be told and is taken as done.
   */
  pause(): Promise<void>;
  /**
   * SIGTERM, and SIGKILL when `timeoutMs` (default 10,000) have passed. Calls during a stop share it and its time limit;
   * after the end it only returns how the child ended.
   */
  stop(timeoutMs?: number): Promise<ProcessExit>;
}

/**
 * Runs a command that ends with this process at the latest: when this process is gone, by SIGKILL too, the child
 * gets SIGTERM, and SIGKILL after `orphanGraceMs`. It has a session of its own, so a Ctrl-C in the terminal reaches only
 * the parent, which then decides. POSIX systems only.
 *
 * @returns when the child runs.
 * @throws {SpawnError} when it cannot be run.
 */
export async function spawnGuarded(
  command: string,
  args: readonly string[],
  { onLine, name = command, orphanGraceMs = DEFAULT_ORPHAN_GRACE_MS, ...where }: GuardedOptions = {},
): Promise<GuardedProcess> {
  const output = onLine === undefined ? 'ignore' : 'pipe';
  const guardian = fork(GUARDIAN, [name], { detached: true, execArgv: [], stdio: ['ignore', output, output, 'ipc'] });
  const outputRead = Promise.all([
    readLines(guardian.stdout, (line) => onLine?.(line, 'stdout')),
    readLines(guardian.stderr, (line) => onLine?.(line, 'stderr')),
  ]);
  // Before the first await: a short-lived child is reported as spawned and as exited in one go.
  const lastWord = waitForLastWord(guardian);
  const pid = await startChild(guardian, { command, args, orphanGraceMs, ...where });
  const exited = lastWord.then(async (exit) => {
    const ended = exit ?? endUnguarded(pid);
    await Promise.race([outputRead, delay(OUTPUT_GRACE_MS, undefined, { ref: false })]);
    guardian.stdout?.destroy();
    guardian.stderr?.destroy();
    await outputRead;
    return ended;
  });
  return new GuardianHandle(pid, exited);
}

class GuardianHandle implements GuardedProcess {
  readonly pid: number;
  readonly exited: Promise<ProcessExit>;
  #hasExited = false;
  #stopping: Promise<ProcessExit> | undefined;

  constructor(pid: number, exited: Promise<ProcessExit>) {
    this.pid = pid;
    this.exited = exited.finally(() => {
      this.#hasExited = true;
    });
  }

  signal(name: NodeJS.Signals): void {
    if (!this.#hasExited) {
      killIfThere(this.pid, name);
    }
  }

  async pause(): Promise<void> {
    this.signal('SIGSTOP');
    while (!this.#hasExited && !isStandingStill(this.pid)) {
      await delay(PAUSE_POLL_MS);
    }
  }

  stop(timeoutMs = DEFAULT_STOP_TIMEOUT_MS): Promise<ProcessExit> {
    this.#stopping ??= this.#terminate(timeoutMs);
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #terminate(timeoutMs: number): Promise<ProcessExit> {
    this.signal('SIGTERM');
    // A paused child cannot obey before it runs again.
    this.signal('SIGCONT');
    const timer = setTimeout(() => this.signal('SIGKILL'), timeoutMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Tells the guardian what to run; resolves with the child's pid. */
function startChild(guardian: ChildProcess, run: RunMessage): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (cause: string): void => reject(new SpawnError('spawn_failed', `cannot run ${run.command}: ${cause}`));
    guardian.once('error', (error) => fail(`its guardian did not start: ${error.message}`));
    guardian.once('disconnect', () => fail('its guardian ended before it had started it'));
    guardian.once('message', (message: GuardianMessage) => {
      if (message.type === 'spawned') {
        resolve(message.pid);
      } else if (message.type === 'refused') {
        reject(SpawnError.from(message.code, message.message, run));
      }
    });
    // A failed send ends in one of the events above.
    guardian.send(run, () => {});
  });
}

/** How the child ended; undefined if the guardian ended without reporting it. */
function waitForLastWord(guardian: ChildProcess): Promise<ProcessExit | undefined> {
  return new Promise((resolve) => {
    guardian.on('message', (message: GuardianMessage) => {
      if (message.type === 'exited') {
        resolve({ code: message.code, signal: message.signal });
      }
    });
    // Not its `exit` event: that one may overtake messages which are still in the channel.
    guardian.once('disconnect', () => resolve(undefined));
  });
}

/** The guardian was killed before it could report: an unguarded child must not stay. */
function endUnguarded(pid: number): ProcessExit {
  killIfThere(pid, 'SIGKILL');
  return { code: null, signal: 'SIGKILL' };
}

/** Resolves, never rejects, when the stream is over: a pipe that breaks ends the output like any other end. */
async function readLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream === null) {
    return;
  }
  const splitter = createLineSplitter(onLine);
  stream.on('data', (chunk: Buffer) => splitter.push(chunk));
  await new Promise<void>((resolve) => finished(stream, () => resolve()));
  splitter.end();
}

function killIfThere(pid: number, signal: NodeJS.Signals): void {
  try {
    kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) {
      throw error;
    }
  }
}
