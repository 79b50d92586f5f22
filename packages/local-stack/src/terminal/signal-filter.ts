import { EventEmitter } from 'node:events';
import type { runProcess } from '@asyncfn/service-kit';

type ProcessHandle = Parameters<typeof runProcess>[0]['process'];

/** Longer than runners take to pass a signal on, shorter than a person takes to press the keys again. */
const ECHO_MS = 500;

/**
 * A process that counts one Ctrl-C once. The terminal sends SIGINT to all processes in the foreground, and npx and pnpm
 * pass it on to their child as well. A launcher below them gets it several times within milliseconds. Each further one
 * would request a stop without waiting.
 */
export class SignalFilter extends EventEmitter implements ProcessHandle {
  readonly #process: ProcessHandle;
  readonly #now: () => number;
  #heardAt = Number.NEGATIVE_INFINITY;

  /** @param now milliseconds of a clock that does not jump */
  constructor(process: ProcessHandle, now: () => number = () => performance.now()) {
    super();
    this.#process = process;
    this.#now = now;
    process.on('SIGINT', (signal) => this.#hear(signal));
    process.on('SIGTERM', (signal) => this.#hear(signal));
    process.on('uncaughtException', (error) => this.emit('uncaughtException', error));
    process.on('unhandledRejection', (reason) => this.emit('unhandledRejection', reason));
  }

  get pid(): number {
    return this.#process.pid;
  }

  get env(): ProcessHandle['env'] {
    return this.#process.env;
  }

  get stderr(): ProcessHandle['stderr'] {
    return this.#process.stderr;
  }

  get exitCode(): ProcessHandle['exitCode'] {
    return this.#process.exitCode;
  }

  set exitCode(code: ProcessHandle['exitCode']) {
    this.#process.exitCode = code;
  }

  exit(code: number): unknown {
    return this.#process.exit(code);
  }

  #hear(signal: NodeJS.Signals): void {
    const isEcho = this.#now() - this.#heardAt < ECHO_MS;
    if (isEcho) {
      return;
    }
    this.#heardAt = this.#now();
    this.emit(signal, signal);
  }
}
