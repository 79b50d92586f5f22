import { isatty } from 'node:tty';
import { type DestinationStream, type Logger, pino } from 'pino';
import pinoPretty from 'pino-pretty';
import { createBatchedStdout } from './batched-stdout.ts';
import { formatSerializedError, type SerializedError, serializeError } from './serialize-error.ts';

export type { Logger } from 'pino';

/** Most talkative first. `silent` logs nothing. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type LogLevel = (typeof LOG_LEVELS)[number];

export const LOG_FORMATS = ['json', 'console'] as const;
type LogFormat = (typeof LOG_FORMATS)[number];

const STDOUT = 1;

export interface LoggerOptions {
  /** The process, as `name` on each line: `gateway`. */
  readonly name: string;
  readonly level: LogLevel;
  /** `json`: one object a line, `time` in epoch milliseconds. `console`: for people, in colours on a terminal. */
  readonly format: LogFormat;
  /** Takes whole lines. Default: standard output. */
  readonly destination?: DestinationStream;
}

/**
 * The logger of a process. To standard output the lines of one tick of the event loop are written together (see
 * `createBatchedStdout`), and synchronously: the last lines of a dying process matter most. Call it with fields first
 * and a fixed sentence second: `logger.info({ port }, 'listening')`. An error goes in the field `err`.
 */
export function createLogger({ name, level, format, destination }: LoggerOptions): Logger {
  const out = destination ?? sharedStdout();
  return pino(
    {
      name,
      level,
      base: {},
      formatters: { level: (label) => ({ level: label }) },
      serializers: { err: serializeError },
    },
    format === 'console' ? prettyDestination(out, destination === undefined && isatty(STDOUT)) : out,
  );
}

let stdout: DestinationStream | undefined;

/** One for all loggers of the process: their lines stay in order, and the exit writes them once. */
function sharedStdout(): DestinationStream {
  stdout ??= createBatchedStdout({
    out: pino.destination({ dest: STDOUT, sync: true }),
    onExit: (last) => process.on('exit', last),
  });
  return stdout;
}

function prettyDestination(out: DestinationStream, isTerminal: boolean): DestinationStream {
  const pretty = pinoPretty.prettyFactory({
    colorize: isTerminal && pinoPretty.isColorSupported,
    singleLine: true,
    customPrettifiers: {
      // The result of serializeError(), parsed back from the line.
      err: (value) => formatSerializedError(value as unknown as SerializedError),
    },
    translateTime: 'SYS:HH:MM:ss.l',
  });
  return { write: (line) => out.write(pretty(line)) };
}
