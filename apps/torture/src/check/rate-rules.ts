import type { Rate } from '@asyncfn/units';
import type { Invocation, Stories, Story } from '../history/index.ts';
import { pausedFunction } from '../plan.ts';
import type { RuleContext } from './excuses.ts';

export type RateRule = 'no window has more than the rate allows';

interface Paced extends Pick<Invocation, 'from' | 'worker'> {
  readonly story: Story;
}

/**
 * Whether the function with a rate was invoked more often than that allows, in any window. Windows are shorter than the
 * period by what an invocation may be late. A worker that was held up may have sent a request long after its decision.
 */
export function brokenRate(
  { stories }: Pick<Stories, 'stories'>,
  { count, periodMs }: Rate,
  { faults, limits }: RuleContext,
): { readonly detail: string; readonly story: Story } | undefined {
  const wasHeldUp = ({ from, worker }: Paced): boolean =>
    faults.some(
      (fault) =>
        (fault.breaksLeasesOf === 'all' || fault.breaksLeasesOf === worker) &&
        fault.from <= from &&
        from <= fault.to + limits.slackMs,
    );
  const paced = stories
    .filter(({ sent }) => sent.plan.function === pausedFunction)
    .flatMap((story) => story.invocations.map(({ from, worker }): Paced => ({ from, worker, story })))
    .filter((each) => !wasHeldUp(each))
    .toSorted((one, other) => one.from - other.from);
  const windowMs = periodMs - limits.lateMs;
  // The last one that still fits begins a window that has one too many.
  const first = paced.find((each, at) => (paced[at + count]?.from ?? Number.POSITIVE_INFINITY) < each.from + windowMs);
  return first && { detail: `its window of ${windowMs} ms has more than ${count} attempts`, story: first.story };
}
