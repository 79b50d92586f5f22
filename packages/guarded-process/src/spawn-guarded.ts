import { type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { finished, type Readable } from 'node:stream';
import { setTimeout as delay } from 'node:timers/promises';
import { startGuardian } from './guardian.ts';
import type { ProcessExit } from './guardian-protocol.ts';
import { killIfThere } from './kill-if-there.ts';
import { createLineSplitter } from './line-splitter.ts';
import { isStandingStill } from './process-state.ts';
import { SpawnError } from './spawn-error.ts';

/** A grandchild may hold the output open for ever; the child's own lines have long arrived by then. */
const OUTPUT_GRACE_MS = 500;
const DEFAULT_ORPHAN_GRACE_MS = 5_000;
const DEFAULT_STOP_TIMEOUT_MS = 10_000;
const PAUSE_POLL_MS = 2;

export type OutputStream = 'stdout' | 'stderr';

export interface GuardedOptions {
  /** Working folder. Default: the parent's. */
  readonly cwd?: string;
  /** The whole environment, nothing is added to it. Default: the parent's. */
  readonly env?: NodeJS.ProcessEnv;
  /** How long the child may take over its own end once this process is gone. Default: 5,000. */
  readonly orphanGraceMs?: number;
  /** Receives each line of output without its line end, in order for each stream. Default: the output is discarded. */
  readonly onLine?: (line: string, stream: OutputStream) => void;
}

/** A running child. Leaving an `await using` scope stops it. */
export interface GuardedProcess extends AsyncDisposable {
  readonly pid: number;
  /** Resolves, never rejects, when the child has ended and its last line has been handed over. */
  readonly exited: Promise<ProcessExit>;
  /** Sends a signal to the child; does nothing once it has ended. */
  signal(name: NodeJS.Signals): void;
  /**
   * SIGSTOP; resolves when every thread of the child has stopped, so that it answers nothing that is sent after that.
   * `signal('SIGCONT')` resumes it. Without /proc the state is unknown, and the promise resolves at once.
   */
  pause(): Promise<void>;
  /**
   * SIGTERM, and SIGKILL when `timeoutMs` (default 10,000) have passed. Calls during a stop share it and its time
   * limit; after the end it only returns how the child ended.
   */
  stop(timeoutMs?: number): Promise<ProcessExit>;
}

/**
 * Runs a command that ends with this process at the latest: when this process is gone, by SIGKILL too, the child gets
 * SIGTERM, and SIGKILL after `orphanGraceMs`. It has a session of its own, so a Ctrl-C in the terminal reaches only the
 * parent, which then decides. POSIX systems only.
 *
 * @returns when the child runs.
 * @throws {SpawnError} when it cannot be run.
 */
export async function spawnGuarded(
  command: string,
  args: readonly string[],
  { onLine, orphanGraceMs = DEFAULT_ORPHAN_GRACE_MS, ...where }: GuardedOptions = {},
): Promise<GuardedProcess> {
  const guardian = await startGuardian().catch((cause: unknown) => {
    throw new SpawnError('spawn_failed', `cannot run ${command}: its guardian did not start: ${String(cause)}`);
  });
  const output = onLine === undefined ? 'ignore' : 'pipe';
  const options = { ...where, detached: true, stdio: ['ignore', output, output] } satisfies SpawnOptions;
  const { pid, ended, stdout, stderr } = await startChild(command, args, options, (child) =>
    guardian.guard(child, orphanGraceMs),
  );
  const outputRead = Promise.all([
    readLines(stdout, (line) => onLine?.(line, 'stdout')),
    readLines(stderr, (line) => onLine?.(line, 'stderr')),
  ]);
  const exited = ended.then(async (exit) => {
    guardian.release(pid);
    await Promise.race([outputRead, delay(OUTPUT_GRACE_MS, undefined, { ref: false })]);
    stdout?.destroy();
    stderr?.destroy();
    await outputRead;
    return exit;
  });
  return new ChildHandle(pid, exited);
}

class ChildHandle implements GuardedProcess {
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

interface StartedChild {
  readonly pid: number;
  readonly ended: Promise<ProcessExit>;
  readonly stdout: Readable | null;
  readonly stderr: Readable | null;
}

/** Resolves when the child runs; `guard` gets its pid at once, because this process may be killed at any moment. */
async function startChild(
  command: string,
  args: readonly string[],
  options: SpawnOptions,
  guard: (pid: number) => void,
): Promise<StartedChild> {
  try {
    const child = spawn(command, args, options);
    const { pid = 0, stdout, stderr } = child;
    if (pid !== 0) {
      guard(pid);
    }
    const ended = new Promise<ProcessExit>((resolve) => {
      child.once('exit', (code, signal) => resolve({ code, signal }));
    });
    await once(child, 'spawn');
    return { pid, ended, stdout, stderr };
  } catch (error) {
    throw SpawnError.from(error, command, options.cwd?.toString());
  }
}

/** Resolves, never rejects, when the stream ends: a pipe that breaks ends the output like any other end. */
async function readLines(stream: Readable | null, onLine: (line: string) => void): Promise<void> {
  if (stream === null) {
    return;
  }
  const splitter = createLineSplitter(onLine);
  stream.on('data', (chunk: Buffer) => splitter.push(chunk));
  await new Promise<void>((resolve) => finished(stream, () => resolve()));
  splitter.end();
}
