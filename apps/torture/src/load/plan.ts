import { integerBelow, pickFrom, type Random } from '@asyncfn/testkit';

/** What the function does with one attempt. */
export interface Step {
  readonly status: number;
  readonly delayMs: number;
}

/** All that is decided of a call before it is sent. */
export interface Plan {
  readonly function: string;
  /** One for each attempt; the last one holds for all that follow. */
  readonly steps: readonly [Step, ...Step[]];
  readonly maxRetries: number;
  /** `flaky`: the receiver refuses the first delivery. */
  readonly callback: 'none' | 'steady' | 'flaky';
  /** Whether the caller chooses the call id. */
  readonly ownId: boolean;
  readonly bodyBytes: number;
  /** `X-Delay`; 0 for none. */
  readonly notBeforeMs: number;
  /** `X-Expires-In`; 0 for none. */
  readonly expiresInMs: number;
  /** After its acceptance it is cancelled; undefined where it is not. */
  readonly cancelAfterMs?: number | undefined;
  /** It is sent twice, with one `Idempotency-Key`. */
  readonly isRepeated: boolean;
}

/** How a call must end. */
export interface ExpectedEnd {
  readonly status: 'succeeded' | 'failed';
  readonly attempts: number;
  readonly functionStatus: number;
}

const retried: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The function's part of the plan, as a header carries it: `503:20,200:5`. */
export function formatSteps(steps: Plan['steps']): string {
  return steps.map(({ status, delayMs }) => `${status}:${delayMs}`).join(',');
}

/** The step of one attempt. Throws for what `formatSteps` has not written. */
export function stepOf(text: string, retry: number): Step {
  const steps = text.split(',');
  const [status, delayMs] = (steps[Math.min(retry, steps.length - 1)] ?? '').split(':').map(Number);
  if (status === undefined || delayMs === undefined || Number.isNaN(status) || Number.isNaN(delayMs)) {
    throw new TypeError(`not the steps of a function: ${text}`);
  }
  return { status, delayMs };
}

export function expectedEnd({ steps, maxRetries }: Pick<Plan, 'steps' | 'maxRetries'>): ExpectedEnd {
  for (let retry = 0; ; retry++) {
    const { status } = steps[Math.min(retry, steps.length - 1)] ?? steps[0];
    if (status < 400) {
      return { status: 'succeeded', attempts: retry + 1, functionStatus: status };
    }
    if (!retried.has(status) || retry >= maxRetries) {
      return { status: 'failed', attempts: retry + 1, functionStatus: status };
    }
  }
}

/** Not those that say that the function has too much to do: they would slow the workers down. */
const troubles = [500, 502, 504] as const;

/** A call of some kind: most are quick and succeed, some take their time, are tried again, or fail. */
export function randomPlan(random: Random, functions: readonly string[]): Plan {
  const kind = random();
  const step = (status: number): Step => ({ status, delayMs: randomDelayMs(random) });
  const trouble = (): Step => step(pickFrom(random, troubles));
  const more = Array.from({ length: integerBelow(random, 3) }, trouble);
  const steps: Plan['steps'] = kind < 0.75 ? [step(200)] : kind < 0.95 ? [trouble(), ...more, step(200)] : [step(422)];
  const times = randomTimes(random);
  return {
    function: pickFrom(random, functions),
    steps,
    maxRetries: kind >= 0.9 ? integerBelow(random, 2) : 5,
    callback: random() < 0.2 ? 'none' : random() < 0.1 ? 'flaky' : 'steady',
    // One that expires unseen, after an answer that got lost, is known by its id alone.
    ownId: random() < 0.3 || times.expiresInMs > 0,
    bodyBytes: integerBelow(random, 2_000),
    ...times,
    cancelAfterMs: random() < 0.04 ? integerBelow(random, 400) : undefined,
    isRepeated: random() < 0.04,
  };
}

/** Not both: what is delayed beyond its expiry expires. */
function randomTimes(random: Random): Pick<Plan, 'notBeforeMs' | 'expiresInMs'> {
  const kind = random();
  return {
    notBeforeMs: kind < 0.04 ? 200 + integerBelow(random, 2_800) : 0,
    expiresInMs: kind > 0.96 ? 300 + integerBelow(random, 4_000) : 0,
  };
}

function randomDelayMs(random: Random): number {
  return random() < 0.9 ? integerBelow(random, 40) : 200 + integerBelow(random, 1_300);
}
