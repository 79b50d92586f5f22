import { type HistoryEvent, type Stories, type Story, toStories } from '../history/index.ts';
import { batchRules } from './batch-rules.ts';
import type { RuleLimits } from './excuses.ts';
import { brokenFlows } from './flow-rules.ts';
import { brokenRate } from './rate-rules.ts';
import { type Rule, rules, wasStored } from './rules.ts';

export interface Violation {
  readonly rule: Rule;
  readonly detail: string;
  readonly story: Story;
}

interface Counts {
  readonly sent: number;
  readonly accepted: number;
  /** Calls without a clear answer. */
  readonly unknown: number;
  /** Of those, the calls that turned out to be stored. */
  readonly unknownStored: number;
  readonly refused: number;
  /** Calls that ended as cancelled, and as expired. */
  readonly cancelled: number;
  readonly expired: number;
  /** Calls that have an end. */
  readonly ended: number;
  readonly invocations: number;
  /** Calls that the workers' own audit did not find anywhere. */
  readonly missed: number;
  /** Attempts that were made again after a fault. */
  readonly repeated: number;
  readonly callbacks: number;
  readonly faults: number;
}

export interface Verdict {
  readonly clean: boolean;
  readonly counts: Counts;
  /** Stored calls with neither an end nor a place in a queue, and ends of calls that no client sent. */
  readonly conservation: number;
  /** Messages left in the queues; undefined if the run did not look. */
  readonly queued: number | undefined;
  /** The same messages in words. */
  readonly left: readonly string[];
  /** The shortest story first. */
  readonly violations: readonly Violation[];
}

const defaultLimits: RuleLimits = {
  slackMs: 1_000,
  clockMs: 5_000,
  lateMs: 500,
  handoverMs: 15_000,
  retryWaitMs: 0,
  endsKeptMs: 600_000,
};

/** Whether a history keeps the promises. Pure: the same history gets the same verdict. */
export function checkHistory(events: Iterable<HistoryEvent>, limits: Partial<RuleLimits> = {}): Verdict {
  const all = toStories(events);
  const context = { faults: all.faults, limits: { ...defaultLimits, ...limits } };
  const violations = all.stories.flatMap((story) =>
    Object.entries(rules).flatMap(([rule, check]) => {
      const detail = check(story, context);
      return detail === undefined ? [] : [{ rule: rule as Rule, detail, story }];
    }),
  );
  violations.push(...checkBatches(all, context.limits));
  const { pace } = context.limits;
  const broken = pace && brokenRate(all, pace, context);
  violations.push(
    ...(broken === undefined ? [] : [{ rule: 'no window has more than the rate allows' as const, ...broken }]),
  );
  violations.push(...brokenFlows(all, context));
  const conservation = countLost(all);
  return {
    clean: violations.length === 0 && conservation === 0 && (all.queued ?? 0) === 0,
    counts: count(all),
    conservation,
    queued: all.queued,
    left: all.left,
    violations: violations.toSorted((a, b) => a.story.events.length - b.story.events.length),
  };
}

/** A problem of a batch is reported with the first of its calls. */
function checkBatches({ stories, batches }: Stories, limits: RuleLimits): Violation[] {
  const byRequest = new Map(stories.map((story) => [story.request, story]));
  return batches.flatMap((batch) => {
    const calls = batch.requests.flatMap((request) => byRequest.get(request) ?? []);
    const [story] = calls;
    return Object.entries(batchRules).flatMap(([rule, check]) => {
      const detail = check(batch, calls, limits);
      return detail === undefined || story === undefined ? [] : [{ rule: rule as Rule, detail, story }];
    });
  });
}

function countLost({ stories, strayEnds }: Stories): number {
  return strayEnds.length + stories.filter((story) => wasStored(story) && story.ends.length === 0).length;
}

function count({ stories, faults }: Stories): Counts {
  const having = (predicate: (story: Story) => boolean): number => stories.filter(predicate).length;
  const sum = (number: (story: Story) => number): number => stories.reduce((total, story) => total + number(story), 0);
  return {
    sent: stories.length,
    accepted: having(({ acceptance }) => acceptance === 'accepted'),
    unknown: having(({ acceptance }) => acceptance === 'unknown'),
    unknownStored: having((story) => story.acceptance === 'unknown' && wasStored(story)),
    refused: having(({ acceptance }) => acceptance === 'refused'),
    cancelled: having(({ ends }) => ends[0]?.status === 'cancelled'),
    expired: having(({ ends }) => ends[0]?.status === 'expired'),
    ended: having(({ ends }) => ends.length > 0),
    missed: having(({ misses }) => misses.length > 0),
    invocations: sum(({ invocations }) => invocations.length),
    repeated: sum(({ invocations }) => invocations.length - new Set(invocations.map(({ retry }) => retry)).size),
    callbacks: sum(({ callbacks }) => callbacks.length),
    faults: faults.length,
  };
}
