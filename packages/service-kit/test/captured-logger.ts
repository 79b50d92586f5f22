import { createLogger, type Logger } from '../src/logging/logger.ts';

export interface CapturedLogger {
  readonly logger: Logger;
  /** Every line so far, parsed. */
  readonly lines: Record<string, unknown>[];
  /** The fixed sentences so far. */
  readonly sentences: () => unknown[];
}

/** A real logger at the lowest level whose lines are kept. */
export function capturedLogger(): CapturedLogger {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  return {
    logger: createLogger({ name: 'test', level: 'trace', format: 'json', destination }),
    lines,
    sentences: () => lines.map((line) => line['msg']),
  };
}
