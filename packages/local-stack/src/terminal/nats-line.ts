import type { LogLine } from './log-line.ts';

/** `[4711] 2026/01/02 12:00:00.000001 [INF] Server is ready` */
const NATS_LINE = /^\[\d+\] (\d{4})\/(\d\d)\/(\d\d) (\d\d:\d\d:\d\d)\S* \[([A-Z]{3})\] (.*)$/;

/** The levels of nats-server in our terms. Its everyday messages are details here. */
const LEVELS = new Map([
  ['TRC', 'trace'],
  ['DBG', 'trace'],
  ['INF', 'debug'],
  ['WRN', 'warn'],
  ['ERR', 'error'],
  ['FTL', 'fatal'],
]);

/** A line of nats-server's log, whose times are local. `undefined` for a line in another form. */
export function parseNatsLine(text: string): LogLine | undefined {
  const [, year, month, day, time, level, message] = NATS_LINE.exec(text) ?? [];
  if (message === undefined) {
    return undefined;
  }
  return {
    level: LEVELS.get(level ?? '') ?? 'info',
    time: Date.parse(`${year}-${month}-${day}T${time}`),
    message: message.trim(),
    fields: {},
  };
}
