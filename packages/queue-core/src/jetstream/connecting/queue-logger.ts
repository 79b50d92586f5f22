/** The logger's part that queue-core needs; pino fits. */
export interface QueueLogger {
  info(fields: LogFields, message: string): void;
  warn(fields: LogFields, message: string): void;
  error(fields: LogFields, message: string): void;
}

/** Fields that every line already has: a second `level` would hide its severity. */
type LogFields = Readonly<Record<string, unknown>> & {
  readonly [name in 'level' | 'time' | 'name' | 'msg']?: never;
};
