import { destination, type Logger, pino } from 'pino';
import { Counter, Histogram } from 'prom-client';
import type { BullmqSettings } from '../systems/index.ts';

/** The operator's records of each call: a log line, a counter by outcome and a histogram of its duration. */
export interface CallRecord {
  note(call: { readonly id: string; readonly name: string; readonly code: number; readonly seconds: number }): void;
}

/** Records calls as a team would: with pino into a file, and with prom-client. A `minimal` system records nothing. */
export function createRecord({ scope, logFile }: BullmqSettings, event: string): CallRecord {
  return scope === 'minimal'
    ? { note() {} }
    : createFullRecord(pino(destination({ dest: logFile, minLength: 4096 })), event);
}

function createFullRecord(log: Logger, event: string): CallRecord {
  const labelNames = ['function_name', 'code'] as const;
  const total = new Counter({ name: `calls_${event}_total`, help: `Calls that were ${event}.`, labelNames });
  const seconds = new Histogram({ name: `calls_${event}_seconds`, help: `Time until ${event}.`, labelNames });
  return {
    note(call) {
      const labels = { function_name: call.name, code: String(call.code) };
      total.inc(labels);
      seconds.observe(labels, call.seconds);
      log.info({ callId: call.id, function: call.name, status: call.code, durationSeconds: call.seconds }, event);
    },
  };
}
