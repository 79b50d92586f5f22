/** The logger's part that queue-core needs; pino fits. */
export interface QueueLogger {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** What a line has besides its own fields: a second `level` would hide how grave it is. */
type LogFields = Readonly<Record<string, unknown>> & {
  readonly [name in 'level' | 'time' | 'name' | 'msg']?: never;
};
