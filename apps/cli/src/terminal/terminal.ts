import { inspect } from 'node:util';
import { type Column, renderFacts, renderTable } from './table.ts';

/** The part of an output stream of Node's that is used. */
interface OutputStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(chunk: string | Uint8Array): unknown;
}

export interface OutputStreams {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: NodeJS.ProcessEnv;
}

export type Colour = 'bold' | 'cyan' | 'dim' | 'green' | 'red' | 'yellow';

/** Results on stdout; what is said about them on stderr. */
export class Terminal {
  readonly #streams: OutputStreams;

  constructor(streams: OutputStreams) {
    this.#streams = streams;
  }

  /** Whether a person sees the results, rather than a file or a pipe. */
  get isTerminal(): boolean {
    return this.#streams.stdout.isTTY === true;
  }

  /** Whether a person sees what is said. */
  get isWatched(): boolean {
    return this.#streams.stderr.isTTY === true;
  }

  /** Characters of a line; undefined if lines may be as long as they like. */
  // A terminal that does not know its size says 0.
  get width(): number | undefined {
    return this.isTerminal ? this.#streams.stdout.columns || 80 : undefined;
  }

  /** A line of the result. Text of strangers has to be printable. */
  print(line: string): void {
    this.#streams.stdout.write(`${line}\n`);
  }

  /** Bytes of the result, as they are. */
  write(bytes: string | Uint8Array): void {
    this.#streams.stdout.write(bytes);
  }

  /** A document of JSON in one line, for programs. */
  printJson(value: unknown): void {
    // Control characters are escapes in JSON, but not those beyond ASCII.
    this.print(JSON.stringify(value).replace(/[\p{Cc}\u2028\u2029]/gu, escapeUnit));
  }

  printTable<T>(rows: readonly T[], columns: readonly Column<T>[]): void {
    const [titles = '', ...lines] = renderTable(rows, columns, this.width);
    this.print(this.paint('dim', titles));
    for (const line of lines) {
      this.print(line);
    }
  }

  printFacts(facts: Parameters<typeof renderFacts>[0]): void {
    for (const line of renderFacts(facts)) {
      this.print(line);
    }
  }

  /** Says something about the result, on stderr. */
  say(line: string): void {
    this.#streams.stderr.write(`${line}\n`);
  }

  /** Says something that only a person needs. */
  hint(line: string): void {
    if (this.isWatched) {
      this.say(this.#paint(this.#streams.stderr, 'dim', line));
    }
  }

  /** Text for stdout in a colour, if a person sees it and has not set `NO_COLOR`. */
  paint(colour: Colour, text: string): string {
    return this.#paint(this.#streams.stdout, colour, text);
  }

  /** The same for stderr. */
  paintSaid(colour: Colour, text: string): string {
    return this.#paint(this.#streams.stderr, colour, text);
  }

  #paint({ isTTY }: OutputStream, colour: Colour, text: string): string {
    const { env } = this.#streams;
    if (isTTY !== true || env['NO_COLOR'] || env['TERM'] === 'dumb' || text === '') {
      return text;
    }
    const [start, end] = inspect.colors[colour] ?? [0, 0];
    return `\x1b[${start}m${text}\x1b[${end}m`;
  }
}

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
