import { toPrintable } from '../printable.ts';
import { paint } from './paint.ts';

/** One line that one of our processes has logged: a JSON object, as pino writes it. */
export interface LogLine {
  readonly level: string;
  /** Epoch milliseconds. */
  readonly time: number;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

const MAX_VALUE_CHARS = 500;

/** `undefined` for text that is not such a line, for example a runtime's last words. */
export function parseLogLine(text: string): LogLine | undefined {
  const parsed = parseJson(text);
  if (typeof parsed !== 'object' || parsed === null || !('msg' in parsed)) {
    return undefined;
  }
  const { level, time, msg, name: _name, ...fields } = parsed as Record<string, unknown>;
  return {
    level: typeof level === 'string' ? level : 'info',
    time: typeof time === 'number' ? time : Number.NaN,
    message: toPrintable(String(msg), MAX_VALUE_CHARS),
    fields,
  };
}

/** For people: `13:11:30 listening port=8080`. The stack of an unexpected error follows on lines of its own. */
export function formatLogLine({ level, time, message, fields }: LogLine, colours: boolean): string {
  const { err, ...rest } = fields;
  const error = err === undefined ? undefined : toLoggedError(err);
  const sentence = error === undefined ? message : `${message}: ${toPrintable(error.message, MAX_VALUE_CHARS)}`;
  const facts = Object.entries(rest).map(([name, value]) => `${name}=${formatValue(value)}`);
  const text = [formatTime(time), ...levelMark(level, colours), sentence, dim(facts.join(' '), colours)];
  return [text.filter((part) => part !== '').join(' '), ...unforeseenStack(error)].join('\n');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function formatTime(time: number): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : date.toTimeString().slice(0, 8);
}

function levelMark(level: string, colours: boolean): string[] {
  if (level === 'info') {
    return [];
  }
  const mark = level.toUpperCase();
  if (!colours) {
    return [mark];
  }
  const colour = level === 'error' || level === 'fatal' ? 'red' : level === 'warn' ? 'yellow' : 'gray';
  return [paint(colour, mark)];
}

function dim(text: string, colours: boolean): string {
  return colours && text !== '' ? paint('dim', text) : text;
}

function formatValue(value: unknown): string {
  const text = typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
  return toPrintable(text, MAX_VALUE_CHARS);
}

interface LoggedError {
  readonly message: string;
  readonly code?: unknown;
  readonly stack?: unknown;
}

function toLoggedError(err: unknown): LoggedError {
  if (typeof err !== 'object' || err === null || !('message' in err)) {
    return { message: JSON.stringify(err) };
  }
  return { ...err, message: String(err.message) };
}

/** An error with a code is expected: its message is enough. */
function unforeseenStack(error: LoggedError | undefined): string[] {
  if (error === undefined || error.code !== undefined || typeof error.stack !== 'string') {
    return [];
  }
  const frames = error.stack.split('\n').filter((line) => /^\s+at /.test(line));
  return frames.map((line) => toPrintable(line, MAX_VALUE_CHARS));
}
