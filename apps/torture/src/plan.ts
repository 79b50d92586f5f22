import { integerBelow, pickFrom, type Random } from '@asyncfn/testkit';

/** What the function does with one attempt. */
export interface Step {
  readonly status: number;
  readonly delayMs: number;
}

/** Those who call: each has a token of its own. */
export const tenants = ['north', 'south'] as const;
export type Tenant = (typeof tenants)[number];
/** The tenant whose receivers hang, and whose names no server answers. */
const hostileTenant: Tenant = 'south';

/** The functions of a run, each with its queue. */
export const queues = { quick: 'default', bulk: 'bulk', rest: 'default' } as const;
/** The function that is paused now and then. */
export const pausedFunction = 'rest';

/** All that is decided of a call before it is sent. */
export interface Plan {
  /** Who sends it. */
  readonly tenant: Tenant;
  readonly function: keyof typeof queues;
  /** One for each attempt; the last one holds for all that follow. */
  readonly steps: readonly [Step, ...Step[]];
  readonly maxRetries: number;
  /**
   * `flaky`: the receiver refuses the first delivery. `hanging`: it does not answer until the load is over; `nameless`: until
   * then no server answers for the name of its host.
   */
  readonly callback: 'none' | 'steady' | 'flaky' | 'hanging' | 'nameless';
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
  /** Steps that follow it in a chain. Default 0. */
  readonly chain?: number;
  /** Who asks for its result, or wants to cancel it though it is not his. */
  readonly look: 'none' | 'own' | 'stranger';
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

/** Share of the calls that have a chain. */
const chainShare = 0.08;

/** Not those that say that the function has too much to do: they would slow the workers down. */
const troubles = [500, 502, 504] as const;

/**
 * A call of some kind: most are quick and succeed, some take their time, are tried again, or fail.
 * @param hostile whether some of its receivers may hang
 * @param by who sends it. Default: anybody
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
    // One that expires unseen, after an answer that got lost, is known by its id alone.
    ownId: random() < 0.3 || times.expiresInMs > 0,
    bodyBytes: integerBelow(random, 2_000),
    ...times,
    cancelAfterMs: random() < 0.04 ? integerBelow(random, 400) : undefined,
    isRepeated: random() < 0.04,
    look: random() < 0.04 ? pickFrom(random, ['own', 'stranger']) : 'none',
  };
  return random() < chainShare ? toChain(plan, 1 + integerBelow(random, 2)) : plan;
}

/** It ends as its chain does: no cancel is sent for it, and the last step calls back. */
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
 * Two calls that are to be sent with one id in the same moment: rivals, of one tenant and for two queues, of which one may be
 * accepted, or strangers, of two tenants, which both are.
 */
export function randomTwins(random: Random, hostile: boolean): readonly [Plan, Plan] {
  const twin = (by: Tenant, change: Partial<Plan>): Plan => ({
    ...randomPlan(random, hostile, by),
    ownId: true,
    isRepeated: false,
    chain: 0,
    // Of two calls of one id, only those that are invoked tell which they are.
    expiresInMs: 0,
    ...change,
  });
  return random() < 0.5
    ? [twin('north', { function: 'bulk' }), twin('north', { function: pickFrom(random, ['quick', 'rest']) })]
    : // A stranger who looks would see a call of its own.
      [twin('north', { look: 'own' }), twin('south', { look: 'own' })];
}

function randomFunction(random: Random): Plan['function'] {
  return random() < 0.08 ? pausedFunction : pickFrom(random, ['quick', 'bulk']);
}

/** Calls of the function that is paused are those whose ends have to be remembered for long: their callbacks hang. */
function randomCallback(random: Random, name: Plan['function'], hostile: boolean): Plan['callback'] {
  const kind = random();
  if (hostile && kind < (name === pausedFunction ? 0.5 : 0.02)) {
    return pickFrom(random, ['hanging', 'nameless']);
  }
  return kind > 0.8 ? 'none' : kind > 0.72 ? 'flaky' : 'steady';
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
