import type { Logger } from '../logging/index.ts';
import { after } from '../timing.ts';

/** One step of a stop. */
export interface Phase {
  /** Two or three words for the log: `close intake`. */
  readonly name: string;
  /** After this time the next phase begins, whatever this one does. */
  readonly timeoutMs: number;
  /** The signal aborts when the time is up. */
  run(signal: AbortSignal): Promise<void> | void;
}

interface PhaseResult {
  readonly name: string;
  readonly outcome: 'done' | 'failed' | 'timed out';
  readonly durationMs: number;
}

export interface PhasesResult {
  /** Every phase is `done`. */
  readonly clean: boolean;
  readonly phases: readonly PhaseResult[];
}

export interface PhasesOptions {
  readonly logger: Logger;
  /** Milliseconds of a clock that does not jump. Default `performance.now`. */
  readonly now?: () => number;
}

/**
 * Runs phases one after the other. A phase that fails or takes too long is logged and does not keep the next from
 * running.
 */
export async function runPhases(
  phases: readonly Phase[],
  { logger, now = () => performance.now() }: PhasesOptions,
): Promise<PhasesResult> {
  const results: PhaseResult[] = [];
  for (const phase of phases) {
    const startedAt = now();
    const { outcome, err } = await runPhase(phase);
    const result = { name: phase.name, outcome, durationMs: Math.round(now() - startedAt) };
    logResult(logger, result, err);
    results.push(result);
  }
  return { clean: results.every(({ outcome }) => outcome === 'done'), phases: results };
}

interface Ending {
  readonly outcome: PhaseResult['outcome'];
  readonly err?: unknown;
}

async function runPhase(phase: Phase): Promise<Ending> {
  const controller = new AbortController();
  let stopTimer = (): void => {};
  const timeUp = new Promise<Ending>((resolve) => {
    stopTimer = after(phase.timeoutMs, () => {
      controller.abort();
      resolve({ outcome: 'timed out' });
    });
  });
  const ended = (async () => phase.run(controller.signal))().then(
    (): Ending => ({ outcome: 'done' }),
    (err: unknown): Ending => ({ outcome: 'failed', err }),
  );
  try {
    return await Promise.race([ended, timeUp]);
  } finally {
    stopTimer();
  }
}

function logResult(logger: Logger, { name, outcome, durationMs }: PhaseResult, err: unknown): void {
  const fields = { phase: name, durationMs };
  if (outcome === 'failed') {
    logger.error({ ...fields, err }, 'phase failed');
  } else if (outcome === 'timed out') {
    logger.warn(fields, 'phase took too long');
  } else {
    logger.info(fields, 'phase done');
  }
}
