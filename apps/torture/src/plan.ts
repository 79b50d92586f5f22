import { integerBelow, pickFrom, type Random } from '@asyncfn/testkit';
import type { PlannedFlow } from './flows.ts';

/** What the function does with one attempt. */
export interface Step {
  readonly status: number;
  readonly delayMs: number;
}

/** The callers: each has its own token. */
export const tenants = ['north', 'south'] as const;
export type Tenant = (typeof tenants)[number];
/** The tenant whose receivers hang, and whose host names no DNS server resolves. */
const hostileTenant: Tenant = 'south';

/** The functions of a run, each with its queue. */
export const queues = { quick: 'default', bulk: 'bulk', rest: 'default' } as const;
/** The function that is paused from time to time. */
export const pausedFunction = 'rest';

/** Everything that is decided about a call before it is sent. */
export interface Plan {
  /** The tenant that sends it. */
  readonly tenant: Tenant;
  readonly function: keyof typeof queues;
  /** One step for each attempt; the last step applies to all later attempts. */
  readonly steps: readonly [Step, ...Step[]];
  readonly maxRetries: number;
  /**
   * `flaky`: the receiver refuses the first delivery. `hanging`: the receiver does not answer until the load is over.
   * `nameless`: until then no DNS server resolves the name of its host.
   */
  readonly callback: 'none' | 'steady' | 'flaky' | 'hanging' | 'nameless';
  /** Whether the caller chooses the call id. */
  readonly ownId: boolean;
  readonly bodyBytes: number;
  /** `X-Delay`; 0 for none. */
  readonly notBeforeMs: number;
  /** `X-Expires-In`; 0 for none. */
  readonly expiresInMs: number;
  /** The call is cancelled this long after its acceptance; undefined if it is not. */
  readonly cancelAfterMs?: number | undefined;
  /** Whether it is sent twice, with one `Idempotency-Key`. */
  readonly isRepeated: boolean;
  /** Number of steps that follow it in a chain. Default 0. */
  readonly chain?: number;
  /** Default: no flow key. */
  readonly flow?: PlannedFlow;
  /** Which tenant requests its result: none, its own, or a stranger, which may try to cancel it instead. */
  readonly look: 'none' | 'own' | 'stranger';
}

/** How a call must end. */
export interface ExpectedEnd {
  readonly status: 'succeeded' | 'failed';
  readonly attempts: number;
  readonly functionStatus: number;
}

const retried: ReadonlySet<number> = new Set([408, 429, 500, 502, 503, 504]);

/** The plan of the function in the form that the header carries: `503:20,200:5`. */
export function formatSteps(steps: Plan['steps']): string {
  return steps.map(({ status, delayMs }) => `${status}:${delayMs}`).join(',');
}

/** The step of one attempt. Throws for text that `formatSteps` has not written. */
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

/** Share of the calls that have a chain. */
const chainShare = 0.08;

/** Steps do not answer that the function has too much to do: that would slow the workers down. */
const troubles = [500, 502, 504] as const;

/**
 * A random call: most are quick and succeed, some take their time, are retried, or fail.
 * @param hostile whether some of its receivers may hang
 * @param by the tenant that sends it. Default: any of them
 */
export function randomPlan(random: Random, hostile: boolean, by?: Tenant): Plan {
  const kind = random();
  const step = (status: number): Step => ({ status, delayMs: randomDelayMs(random) });
  const trouble = (): Step => step(pickFrom(random, troubles));
  const more = Array.from({ length: integerBelow(random, 3) }, trouble);
  const steps: Plan['steps'] = kind < 0.75 ? [step(200)] : kind < 0.95 ? [trouble(), ...more, step(200)] : [step(422)];
  const times = randomTimes(random);
  const tenant = by ?? pickFrom(random, tenants);
  const name = randomFunction(random);
  const plan: Plan = {
    tenant,
    function: name,
    steps,
    maxRetries: kind >= 0.9 ? integerBelow(random, 2) : 5,
    callback: randomCallback(random, name, hostile && tenant === hostileTenant),
    // If a call expires before it is invoked and its answer gets lost, only its id identifies it.
    ownId: random() < 0.3 || times.expiresInMs > 0,
    bodyBytes: integerBelow(random, 2_000),
    ...times,
    cancelAfterMs: random() < 0.04 ? integerBelow(random, 400) : undefined,
    isRepeated: random() < 0.04,
    look: random() < 0.04 ? pickFrom(random, ['own', 'stranger']) : 'none',
  };
  return random() < chainShare ? toChain(plan, 1 + integerBelow(random, 2)) : plan;
}

/** It ends as its chain does: no cancel is sent for it, and the last step sends the callback. */
function toChain(plan: Plan, chain: number): Plan {
  const plain = {
    callback: 'none',
    expiresInMs: 0,
    cancelAfterMs: undefined,
    isRepeated: false,
    look: 'none',
  } as const;
  return { ...plan, ...plain, chain };
}

/** `X-Then` of a call, each step with its number and that of the request. */
export function formatChain(request: number, { chain = 0 }: Plan): string {
  const steps = Array.from(
    { length: chain },
    (_, step) => `${step % 2 === 0 ? 'bulk' : 'quick'}/step/${step + 1}?${request}`,
  );
  return steps.join();
}

/**
 * Two calls that are sent with one id at the same moment. Rivals belong to one tenant and two queues, and only one may
 * be accepted. Strangers belong to two tenants, and both are accepted.
 */
export function randomTwins(random: Random, hostile: boolean): readonly [Plan, Plan] {
  const twin = (by: Tenant, change: Partial<Plan>): Plan => ({
    ...randomPlan(random, hostile, by),
    ownId: true,
    isRepeated: false,
    chain: 0,
    // If two calls have one id, only an invocation tells which of them it is.
    expiresInMs: 0,
    ...change,
  });
  return random() < 0.5
    ? [twin('north', { function: 'bulk' }), twin('north', { function: pickFrom(random, ['quick', 'rest']) })]
    : // a stranger who looks would see a call of its own
      [twin('north', { look: 'own' }), twin('south', { look: 'own' })];
}

function randomFunction(random: Random): Plan['function'] {
  return random() < 0.08 ? pausedFunction : pickFrom(random, ['quick', 'bulk']);
}

/** The ends of the paused function's calls must be remembered for long: their callbacks hang. */
function randomCallback(random: Random, name: Plan['function'], hostile: boolean): Plan['callback'] {
  const kind = random();
  if (hostile && kind < (name === pausedFunction ? 0.5 : 0.02)) {
    return pickFrom(random, ['hanging', 'nameless']);
  }
  return kind > 0.8 ? 'none' : kind > 0.72 ? 'flaky' : 'steady';
}

/** Not both: a call that is delayed beyond its expiry expires. */
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
