import { formatDuration } from '@asyncfn/units';
import { type ScheduleSettings, scheduleProblems } from '../../schedules/index.ts';
import type { Annotations } from '../functions-schema.ts';
import { parseGoDuration } from './go-duration.ts';

const topicAnnotation = 'topic';
const scheduleAnnotation = 'schedule';

/** When a function is called, according to its annotations; undefined if they do not say. */
export type CronAnnotations =
  | { readonly kind: 'timing'; readonly timing: Pick<ScheduleSettings, 'cron' | 'every' | 'timeZone'> }
  | { readonly kind: 'problem'; readonly annotation: string; readonly problem: string };

/**
 * Reads `topic: cron-function` with its `schedule`: a cron expression, perhaps after `CRON_TZ=ZONE` or `TZ=ZONE`, or
 * `@every` and a duration as Go writes it. Other topics are for other connectors.
 */
export function readCronAnnotations(annotations: Annotations | undefined): CronAnnotations | undefined {
  const { [topicAnnotation]: topic, [scheduleAnnotation]: schedule } = annotations ?? {};
  const topics = typeof topic === 'string' ? topic.split(',').map((each) => each.trim()) : [];
  if (!topics.includes('cron-function')) {
    return undefined;
  }
  if (typeof schedule !== 'string') {
    return {
      kind: 'problem',
      annotation: topicAnnotation,
      problem: 'needs the annotation schedule, such as "*/5 * * * *"',
    };
  }
  const timing = toTiming(schedule.trim());
  const [wrong] = timing === undefined ? [{ problem: wrongEvery }] : scheduleProblems({ function: 'any', ...timing });
  return timing === undefined || wrong !== undefined
    ? { kind: 'problem', annotation: scheduleAnnotation, problem: wrong?.problem ?? wrongEvery }
    : { kind: 'timing', timing };
}

const wrongEvery = 'must have a duration after @every, for example @every 1m30s';

function toTiming(text: string): Pick<ScheduleSettings, 'cron' | 'every' | 'timeZone'> | undefined {
  const every = /^@every\s+(.*)$/.exec(text)?.[1];
  if (every !== undefined) {
    const ms = parseGoDuration(every);
    return ms === undefined ? undefined : { every: formatDuration(ms) };
  }
  const [, timeZone, cron = text] = /^(?:CRON_)?TZ=(\S+)\s+(.*)$/.exec(text) ?? [];
  return { cron, ...(timeZone !== undefined && { timeZone }) };
}
