import { createLogger, type Logger } from '@asyncfn/service-kit';
import { type HttpHandler, HttpListener } from '../src/http-listener.ts';

/** A logger whose lines a test can read. */
export function recordingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  return { lines, logger: createLogger({ name: 'test', level: 'debug', format: 'json', destination }) };
}

/** Serves a handler on a free port. */
export async function serve(handler: HttpHandler, { logger } = recordingLogger()): Promise<HttpListener> {
  const bind = { host: '127.0.0.1', port: 0, variable: 'PORT', what: 'test' };
  const listener = new HttpListener({ handler, bind, logger });
  await listener.start();
  return listener;
}
