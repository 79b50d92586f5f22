import { type FlowLimits, flowLimitsOf } from '../flows.ts';
import type { Invocation, Stories, Story } from '../history/index.ts';
import { heldSpan, isExcused, type RuleContext, wasHeldUp } from './excuses.ts';

/** The rules for the calls of a flow key. Reports use their names. */
export type FlowRule =
  | 'calls of a flow key keep their order'
  | 'no more calls of a flow key at once than it allows'
  | 'no window has more calls of a flow key than its rate allows';

export interface BrokenFlow {
  readonly rule: FlowRule;
  readonly detail: string;
  readonly story: Story;
}

/** A call that was invoked. */
interface Begun {
  readonly story: Story;
  readonly first: Invocation;
}

/** The calls of one flow key. */
interface FlowCalls {
  readonly limits: FlowLimits;
  readonly stories: readonly Story[];
  /** In the order in which they began. */
  readonly begun: readonly Begun[];
  /** Whether one of two calls is known to have been accepted before the other one, and joined the order at once. */
  readonly isBefore: (one: Story, other: Story) => boolean;
}

/** How much two clocks differ over a period, one of which shows whole milliseconds. */
const tickMs = 20;

type Check = (calls: FlowCalls, context: RuleContext) => Omit<BrokenFlow, 'rule'>[];

/** Each returns the calls that break it. */
const checks: Readonly<Record<FlowRule, Check>> = {
  'calls of a flow key keep their order': ({ limits, stories, begun, isBefore }, context) =>
    limits.parallelism > 1
      ? []
      : begun.flatMap((each) =>
          overtaken(
            each,
            stories.filter((one) => isBefore(one, each.story)),
            context,
          ),
        ),

  'no more calls of a flow key at once than it allows': ({ limits: { parallelism }, begun }, context) =>
    begun.flatMap(({ story, first }, at) => {
      const others = begun.slice(0, at).filter((other) => isUnderWay(other.story, first, context)).length;
      return others < parallelism
        ? []
        : [{ story, detail: `it began while ${others} others of its key ran, of at most ${parallelism}` }];
    }),

  'no window has more calls of a flow key than its rate allows': ({ limits: { rate }, begun }) => {
    if (rate === undefined) {
      return [];
    }
    const windowMs = rate.periodMs - tickMs;
    const counted = begun.filter(({ story, first }) => !isAfterEnd(story, first));
    return counted.flatMap(({ story, first }, at) => {
      const next = counted[at + rate.count]?.first.from ?? Number.POSITIVE_INFINITY;
      return next < first.from + windowMs
        ? [{ story, detail: `more than ${rate.count} calls of its key began in ${Math.ceil(next - first.from)} ms` }]
        : [];
    });
  },
};

/** The calls that break a rule about flow keys. */
export function brokenFlows(all: Pick<Stories, 'stories' | 'batches'>, context: RuleContext): BrokenFlow[] {
  return toFlows(all).flatMap((calls) =>
    Object.entries(checks).flatMap(([rule, check]) =>
      check(calls, context).map((broken) => ({ rule: rule as FlowRule, ...broken })),
    ),
  );
}

/**
 * The calls before it that had not ended when it began. A call that is cancelled or expires leaves the order before its end
 * is stored.
 */
function overtaken(
  { story, first }: Begun,
  before: readonly Story[],
  context: RuleContext,
): Omit<BrokenFlow, 'rule'>[] {
  const { slackMs } = context.limits;
  const isOpen = ({ ends: [end] }: Story): boolean =>
    end !== undefined && end.at > first.from + slackMs && (end.status === 'succeeded' || end.status === 'failed');
  const passed = before.find((each) => isOpen(each) || isUnderWay(each, first, context));
  return passed === undefined
    ? []
    : [{ story, detail: `it began before request ${passed.request} of its key had ended, which was accepted first` }];
}

/**
 * Whether the call ran, or was to run again, when an invocation of another call of its key began. An attempt does not count if
 * its worker may have lost the call by then: it goes on beside others until it ends, or its worker notices (P3).
 */
function isUnderWay(story: Story, begun: Invocation, context: RuleContext): boolean {
  return story.invocations.some(
    (each) => lastSeen(each, context) > begun.from && !mayBeLost(story, each, begun, context),
  );
}

/** When it ended. The function notices a moment later that its client has gone. */
function lastSeen({ to, status }: Invocation, { limits }: RuleContext): number {
  return status === undefined ? to - limits.lateMs : to;
}

function mayBeLost(story: Story, each: Invocation, begun: Invocation, context: RuleContext): boolean {
  const isBeside = (one: Invocation, other: Invocation): boolean =>
    isExcused(one, other, heldSpan(story, one, context), context);
  const isLost = each.from <= begun.from ? isBeside(each, begun) : wasHeldUp(each, begun.from, context);
  // The same attempt, made again by another worker, runs on after the first one has ended the call.
  return (
    isLost ||
    story.invocations.some(
      (first) =>
        first.retry === each.retry &&
        first.from < each.from &&
        first.status !== undefined &&
        first.to <= begun.from &&
        isBeside(first, each),
    )
  );
}

/** A worker that was held up invokes a call that has ended meanwhile, which its own rule judges. */
function isAfterEnd({ ends: [end] }: Story, { from }: Invocation): boolean {
  return end !== undefined && end.at < from;
}

function toFlows({ stories, batches }: Pick<Stories, 'stories' | 'batches'>): FlowCalls[] {
  const byKey = new Map<string, Story[]>();
  for (const story of stories) {
    const { tenant, function: name, flow } = story.sent.plan;
    if (flow !== undefined) {
      const key = `${tenant} ${name} ${flow.key}`;
      byKey.set(key, [...(byKey.get(key) ?? []), story]);
    }
  }
  const places = new Map(
    batches.flatMap(({ requests }, batch) => requests.map((request, index) => [request, { batch, index }])),
  );
  return [...byKey.values()].flatMap((all) => {
    const limits = all[0] && flowLimitsOf(all[0].sent.plan);
    return limits === undefined ? [] : [{ limits, stories: all, begun: toBegun(all), isBefore: isBeforeBy(places) }];
  });
}

function toBegun(stories: readonly Story[]): Begun[] {
  const begun = stories.flatMap((story) =>
    story.invocations[0] === undefined ? [] : [{ story, first: story.invocations[0] }],
  );
  return begun.toSorted(
    (one, other) => one.first.from - other.first.from || one.first.invocation - other.first.invocation,
  );
}

/** A place in a batch. */
interface Place {
  readonly batch: number;
  readonly index: number;
}

/**
 * A delayed call joins the order when it is due. The calls of a batch count as accepted in their order, but one with a delay may be due
 * before an earlier one is stored.
 */
function isBeforeBy(places: ReadonlyMap<number, Place>): FlowCalls['isBefore'] {
  return (one, other) => {
    if (one.sent.plan.notBeforeMs > 0) {
      return false;
    }
    const [place, otherPlace] = [places.get(one.request), places.get(other.request)];
    const { at, plan } = other.sent;
    if (place === undefined || place.batch !== otherPlace?.batch) {
      return acceptedAt(one) < at;
    }
    const isDelayed = plan.notBeforeMs > 0;
    return place.index < otherPlace.index && (!isDelayed || acceptedAt(one) < at + plan.notBeforeMs);
  };
}

/** When its sender learned that it was accepted; never if its sender did not. */
function acceptedAt({ events }: Story): number {
  const answer = events.find((event) => event.kind === 'answered' && event.status === 202);
  return answer?.at ?? Number.POSITIVE_INFINITY;
}
