import { relative } from 'node:path';
import type { Reporter, TestCase, TestModule, TestSpecification } from 'vitest/node';

const intervalMs = 20_000;

interface Running {
  readonly since: number;
  test: string;
}

export interface ProgressOptions {
  readonly write: (line: string) => void;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** A terminal shows the default reporter's live summary, so nothing is written there. */
  readonly isTerminal: boolean;
}

const onStdout: ProgressOptions = {
  write: (line) => void process.stdout.write(line),
  now: () => performance.now(),
  isTerminal: process.stdout.isTTY,
};

/**
 * Writes every 20 seconds which test runs in each file, and for how long the file has run. In a log without a terminal
 * the default reporter writes a file only when it has ended.
 */
export class ProgressReporter implements Reporter {
  readonly #options: ProgressOptions;
  readonly #running = new Map<string, Running>();
  #total = 0;
  #done = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options = onStdout) {
    this.#options = options;
  }

  onTestRunStart(specifications: readonly Pick<TestSpecification, 'moduleId'>[]): void {
    this.#total = specifications.length;
    this.#done = 0;
    if (!this.#options.isTerminal) {
      this.#timer = setInterval(() => this.report(), intervalMs).unref();
    }
  }

  onTestModuleStart({ moduleId }: Pick<TestModule, 'moduleId'>): void {
    this.#running.set(moduleId, { since: this.#options.now(), test: '' });
  }

  onTestCaseReady({
    fullName,
    module,
  }: Pick<TestCase, 'fullName'> & { readonly module: { readonly moduleId: string } }): void {
    const running = this.#running.get(module.moduleId);
    if (running !== undefined) {
      running.test = ` > ${fullName}`;
    }
  }

  onTestModuleEnd({ moduleId }: Pick<TestModule, 'moduleId'>): void {
    this.#running.delete(moduleId);
    this.#done += 1;
  }

  onTestRunEnd(): void {
    clearInterval(this.#timer);
  }

  report(): void {
    const files = [...this.#running].map(([moduleId, { since, test }]) => {
      const seconds = Math.round((this.#options.now() - since) / 1_000);
      return `   ${relative('', moduleId)}${test} (${seconds} s)\n`;
    });
    this.#options.write(` ${this.#done} of ${this.#total} test files have ended, these run:\n${files.join('')}`);
  }
}
