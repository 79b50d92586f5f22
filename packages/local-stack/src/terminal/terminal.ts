import { createLogger, type Logger } from '@asyncfn/service-kit';
import { toPrintable } from '../printable.ts';
import { formatLogLine, type LogLine, parseLogLine } from './log-line.ts';
import { parseNatsLine } from './nats-line.ts';
import { paint } from './paint.ts';

const SOURCES = {
  asyncfn: 'white',
  nats: 'magenta',
  gateway: 'cyan',
  worker: 'green',
  functions: 'blue',
  inbox: 'yellow',
} as const;
/** Each process has its own column and colour. */
export type Source = keyof typeof SOURCES;

const WIDTH = Math.max(...Object.keys(SOURCES).map((source) => source.length));
const MAX_LINE_CHARS = 2_000;
const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
type Level = (typeof LEVELS)[number];

export interface TerminalOptions {
  write: (text: string) => void;
  /** Whether the reader sees colours. */
  colours: boolean;
}

/** One terminal for many processes: every line begins with the name of its process. */
export class Terminal {
  readonly #options: TerminalOptions;
  /** The lowest level at which lines of nats-server and of the launcher are shown. */
  level: Level = 'info';

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Text as it is, without a name. */
  print(text: string): void {
    this.#options.write(`${text}\n`);
  }

  /** A line of output of one of our processes: a log line, or any text that a runtime prints. */
  showOutput(source: Source, text: string): void {
    const line = parseLogLine(text);
    if (line === undefined) {
      this.#write(source, toPrintable(text, MAX_LINE_CHARS));
    } else {
      this.#show(source, line);
    }
  }

  showNatsOutput(text: string): void {
    const line = parseNatsLine(text);
    if (line === undefined) {
      this.#write('nats', toPrintable(text, MAX_LINE_CHARS));
    } else if (this.#shows(line.level)) {
      this.#show('nats', line);
    }
  }

  /** A logger whose lines appear here. */
  createLogger(source: Source): Logger {
    const destination = { write: (line: string) => this.showOutput(source, line) };
    return createLogger({ name: source, level: this.level, format: 'json', destination });
  }

  #shows(level: string): boolean {
    return (LEVELS as readonly string[]).indexOf(level) >= LEVELS.indexOf(this.level);
  }

  #show(source: Source, line: LogLine): void {
    this.#write(source, formatLogLine(line, this.#options.colours));
  }

  #write(source: Source, text: string): void {
    const { colours, write } = this.#options;
    const name = source.padEnd(WIDTH);
    const prefix = colours ? paint(SOURCES[source], `${name} |`) : `${name} |`;
    // In one write, so that lines of two processes never mix.
    write(
      text
        .split('\n')
        .map((line) => `${prefix} ${line}\n`)
        .join(''),
    );
  }
}
