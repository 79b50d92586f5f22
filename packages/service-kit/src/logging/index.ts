// Logs: one line of JSON for each event, without bodies and secrets.

export { createLogger, LOG_FORMATS, LOG_LEVELS, type Logger } from './logger.ts';
export { displayUrl } from './redact-url.ts';
