import { formatDuration } from '@asyncfn/units';
import { isNamePart } from '../../call/index.ts';
import { mergeSettings } from '../function-config.ts';
import type { Annotations, Settings } from '../functions-schema.ts';
import { parseGoDuration } from './go-duration.ts';

interface Annotation {
  readonly expected: string;
  /** Undefined for a value that means nothing. */
  readonly read: (text: string) => Settings | undefined;
}

export const minWaitAnnotation = 'com.openfaas.retry.min_wait';
export const maxWaitAnnotation = 'com.openfaas.retry.max_wait';

const goDuration = 'must be a duration as Go writes it, for example 10s or 1m30s';

/** The annotations of OpenFaaS Pro's queue-worker. */
const known: ReadonlyMap<string, Annotation> = new Map([
  [
    'com.openfaas.queue',
    {
      expected: 'must match [A-Za-z0-9_-]{1,63}',
      read: (text) => (isNamePart(text) ? { queue: text } : undefined),
    },
  ],
  [
    'com.openfaas.retry.attempts',
    {
      expected: 'must be a whole number from 0 to 1000',
      read: (text) => inRetry('attempts', toInteger(text, 0, 1000)),
    },
  ],
  [
    'com.openfaas.retry.codes',
    {
      expected: 'must be a comma-separated list of HTTP statuses, for example "429,503"',
      read: (text) => inRetry('codes', toStatuses(text)),
    },
  ],
  [minWaitAnnotation, { expected: goDuration, read: (text) => inRetry('minWait', toDuration(text)) }],
  [maxWaitAnnotation, { expected: goDuration, read: (text) => inRetry('maxWait', toDuration(text)) }],
]);

/** Whether an annotation means something here. */
export function isKnownAnnotation(annotation: string): boolean {
  return known.has(annotation);
}

interface AnnotationProblem {
  readonly annotation: string;
  readonly problem: string;
}

/**
 * OpenFaaS's annotations as our settings. Other annotations are ignored. A value that cannot be read is a problem,
 * while OpenFaaS silently uses its default.
 */
export function readAnnotations(annotations: Annotations | undefined): {
  readonly settings: Settings;
  readonly problems: readonly AnnotationProblem[];
} {
  let settings: Settings = {};
  const problems: AnnotationProblem[] = [];
  for (const [annotation, value] of Object.entries(annotations ?? {})) {
    const meaning = known.get(annotation);
    const read = meaning?.read(toText(value));
    if (read !== undefined) {
      settings = mergeSettings(settings, read);
    } else if (meaning !== undefined) {
      problems.push({ annotation, problem: meaning.expected });
    }
  }
  return { settings, problems };
}

/** OpenFaaS takes numbers without quotes for the text that they are written as. */
function toText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function inRetry(name: keyof NonNullable<Settings['retry']>, value: unknown): Settings | undefined {
  return value === undefined ? undefined : { retry: { [name]: value } };
}

function toInteger(text: string, min: number, max: number): number | undefined {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN;
  return value >= min && value <= max ? value : undefined;
}

function toStatuses(text: string): number[] | undefined {
  const statuses = text.split(',').map((item) => toInteger(item.trim(), 100, 599));
  const read = statuses.filter((status) => status !== undefined);
  return read.length === statuses.length ? [...new Set(read)] : undefined;
}

function toDuration(text: string): string | undefined {
  const ms = parseGoDuration(text);
  return ms === undefined ? undefined : formatDuration(ms);
}
