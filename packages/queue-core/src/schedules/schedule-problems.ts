import { validateHeaderName, validateHeaderValue } from 'node:http';
import type { Found } from '@asyncfn/checked-yaml';
import { parseDuration } from '@asyncfn/units';
import { isNamePart, parseFunctionName } from '../call/index.ts';
import { catchUps, maxSettingsBytes, overlaps } from './schedule-settings.ts';
import { openCron } from './times.ts';

type Fields = Readonly<Record<string, unknown>>;
type Check = (value: unknown, fields: Fields) => string | undefined;

const minEveryMs = 1_000;
const maxEveryMs = 366 * 24 * 60 * 60 * 1000;
const maxWindowMs = 7 * 24 * 60 * 60 * 1000;
const maxJitterMs = 24 * 60 * 60 * 1000;
const bodies = ['body', 'bodyBase64', 'json'] as const;
const nicknames = ['@hourly', '@daily', '@midnight', '@weekly', '@monthly', '@yearly', '@annually'];
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

const wrongHeaders = 'must be a map of header names that HTTP allows to texts, or to lists of them';

const checks: Readonly<Record<string, Check>> = {
  function: (value) =>
    typeof value === 'string' && parseFunctionName(value) !== undefined
      ? undefined
      : 'must be NAME or NAME.NAMESPACE, each [A-Za-z0-9_-]{1,63}',
  path: (value) =>
    typeof value === 'string' && /^([/?]|$)/.test(value)
      ? undefined
      : 'must begin with a slash, or with a question mark for a query alone',
  headers: (value) => (areHeaders(value) ? undefined : wrongHeaders),
  body: (value) => (typeof value === 'string' ? undefined : 'must be a text; for other values use json'),
  bodyBase64: (value) =>
    typeof value === 'string' && base64.test(value) ? undefined : 'must be a text in base64 (RFC 4648, 4)',
  json: () => undefined,
  cron: (value, { timeZone }) => (typeof value === 'string' ? cronProblem(value, timeZone) : cronExpectation),
  every: (value) => durationProblem(value, minEveryMs, maxEveryMs, 'must be a duration from 1s to 366d, such as 10m'),
  timeZone: timeZoneProblem,
  overlap: (value) => (overlaps.some((each) => each === value) ? undefined : 'must be allow, skip or queue'),
  catchUp: (value) => (catchUps.some((each) => each === value) ? undefined : 'must be none, latest or all'),
  catchUpWindow: (value) => durationProblem(value, 0, maxWindowMs, 'must be a duration up to 7d, such as 1h'),
  jitter: (value) => durationProblem(value, 0, maxJitterMs, 'must be a duration up to 24h, such as 30s'),
  paused: (value) => (typeof value === 'boolean' ? undefined : 'must be true or false'),
};

const cronExpectation = `must have five fields (minute, hour, day of month, month, day of week), such as "0 3 * * *", or be one of ${nicknames.join(', ')}`;

/** The names of all settings of a schedule. */
export const scheduleSettingNames: readonly string[] = Object.keys(checks);

/** Says what is wrong with the name of a schedule. */
export function scheduleNameProblem(name: string): string | undefined {
  return isNamePart(name) ? undefined : 'must match [A-Za-z0-9_-]{1,63}';
}

/** All that is wrong with the settings of a schedule; never quotes headers and bodies (P9). */
export function scheduleProblems(value: unknown): Found[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ keys: [], problem: 'must be a map of settings, such as { function: report, cron: "0 3 * * *" }' }];
  }
  const fields = Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
  const found = Object.entries(fields).flatMap(([key, each]): Found[] => {
    const check = Object.hasOwn(checks, key) ? checks[key] : undefined;
    const problem = check === undefined ? 'is not a known setting' : check(each, fields);
    return problem === undefined ? [] : [{ keys: [key], problem }];
  });
  return [...found, ...togetherProblems(fields)];
}

/** What is wrong with settings that are right each by itself. */
function togetherProblems(fields: Fields): Found[] {
  const { function: name, cron, every } = fields;
  const found: Found[] = [];
  const isBoth = cron !== undefined && every !== undefined;
  if (name === undefined) {
    found.push({ keys: ['function'], problem: 'must name the function to call' });
  }
  if (isBoth || (cron === undefined && every === undefined)) {
    found.push({ keys: [], problem: `must have ${isBoth ? 'only ' : ''}one of cron and every` });
  }
  if (bodies.filter((each) => fields[each] !== undefined).length > 1) {
    found.push({ keys: [], problem: `may have only one of ${bodies.join(', ')}` });
  }
  if (bytesOf(fields) > maxSettingsBytes) {
    found.push({ keys: [], problem: `must not exceed ${maxSettingsBytes} bytes as JSON, body included` });
  }
  return found;
}

/** Values are written recursively, and read without a limit of their depth: what cannot be written is too large. */
function bytesOf(fields: Fields): number {
  try {
    return Buffer.byteLength(JSON.stringify(fields));
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

function cronProblem(cron: string, timeZone: unknown): string | undefined {
  const fields = cron.trim().split(/\s+/);
  const isNickname = nicknames.includes(cron.trim().toLowerCase());
  // In croner "?" is the time at which the pattern is read: each process would have times of its own.
  if ((!isNickname && fields.length !== 5) || cron.includes('?') || cron.length > 200) {
    return cronExpectation;
  }
  const zone = typeof timeZone === 'string' && isTimeZone(timeZone) ? timeZone : undefined;
  try {
    return openCron(cron, zone).nextRun() === null ? 'has no time in the future' : undefined;
  } catch (error) {
    const reason = error instanceof Error ? error.message.replace(/^CronPattern: /, '') : String(error);
    return `is not valid: ${reason.slice(0, 200)}`;
  }
}

function timeZoneProblem(value: unknown): string | undefined {
  return typeof value === 'string' && isTimeZone(value)
    ? undefined
    : 'must be a time zone of the IANA database, such as Europe/Berlin or UTC';
}

function isTimeZone(text: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: text });
    return /^[A-Za-z]/.test(text); // an offset, such as +02:00, is none
  } catch {
    return false;
  }
}

function durationProblem(value: unknown, min: number, max: number, problem: string): string | undefined {
  const ms = typeof value === 'string' ? parseDuration(value) : undefined;
  return ms !== undefined && ms >= min && ms <= max ? undefined : problem;
}

function areHeaders(value: unknown): boolean {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    Object.entries(value).every(([name, values]) => [values].flat().every((each) => isHeader(name, each)))
  );
}

/** What node's parser would accept in a request. */
function isHeader(name: string, value: unknown): boolean {
  try {
    validateHeaderName(name);
    validateHeaderValue(name, value as string);
    return typeof value === 'string';
  } catch {
    return false;
  }
}
