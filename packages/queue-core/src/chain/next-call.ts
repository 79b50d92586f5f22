import { type Call, type CallIdentity, type HeaderList, keyOf, showStep } from '../call/index.ts';
import type { Outcome } from '../records/index.ts';
import { deriveCallId } from './derive-call-id.ts';

/** The call that follows in a chain, as the outcome of the one before names it. */
export type NextCall = NonNullable<Outcome['next']>;

/** Maximum number of steps of a chain: see `X-Then`. */
export const maxChainSteps = 16;

const passedOn: ReadonlySet<string> = new Set(['traceparent', 'tracestate']);

/** What the records of a call say about its chain; `steps` are those that follow it. */
export function chainFields({ rootId, steps }: Pick<Call, 'rootId' | 'steps'>): Pick<Outcome, 'rootId' | 'steps'> {
  return { ...(rootId !== undefined && { rootId }), ...(steps !== undefined && { steps: steps.map(showStep) }) };
}

/** The first call of the chain that a call belongs to; undefined for a call without a chain. */
export function rootOf({ id, rootId, steps }: Pick<Call, 'id' | 'rootId' | 'steps'>): string | undefined {
  return rootId ?? (steps === undefined ? undefined : id);
}

/**
 * The call that follows when this one succeeds; undefined for the last. Its id is the same however often the step is
 * repeated, and another one for each replay.
 * @param queueOf the queue of a function now; undefined for a function that is gone
 */
export function nextCallOf(call: Call, queueOf: (name: string) => string | undefined): NextCall | undefined {
  const [step] = call.steps ?? [];
  if (step === undefined) {
    return undefined;
  }
  const { callId, startTime, generation } = keyOf(call);
  // How many steps are left tells the steps of a chain apart, whatever their targets.
  const follower = ['step', String(call.steps?.length), showStep(step)] as const;
  return {
    callId: deriveCallId({ callId, startTime, generation }, follower),
    function: step.function,
    queue: queueOf(step.function) ?? step.queue,
  };
}

/** The identity of the call that follows: it begins when the one before has ended. */
export function identityOfNext({ submitter, endedAt }: Outcome, { callId }: NextCall): CallIdentity {
  return { callId, startTime: `${Math.floor(endedAt)}000000`, ...(submitter !== undefined && { submitter }) };
}

/** The end of a call that was cancelled before it was stored, by the outcome of the one before. */
export function toCancelledNext(outcome: Outcome, next: NextCall, now: number): Outcome {
  const [, ...steps] = outcome.steps ?? [];
  return {
    v: 1,
    ...identityOfNext(outcome, next),
    generation: 0,
    function: next.function,
    queue: next.queue,
    status: 'cancelled',
    attempts: 0,
    maxRetries: 0,
    endedAt: now,
    headers: [],
    parentId: outcome.callId,
    ...(outcome.labels !== undefined && { labels: outcome.labels }),
    rootId: outcome.rootId ?? outcome.callId,
    ...(steps.length > 0 && { steps }),
  };
}

/**
 * The call that follows: the result of the one before, which may be stored apart, and of its headers only those that all steps
 * share.
 */
export function toNextCall(call: Call, outcome: Outcome, next: NextCall, body: Uint8Array): Call {
  const [step, ...steps] = call.steps ?? [];
  const { callId: id, ...identity } = identityOfNext(outcome, next);
  return {
    id,
    ...identity,
    function: next.function,
    queue: next.queue,
    path: step?.path ?? '',
    query: step?.query ?? '',
    headers: [...contentType(outcome.headers), ...call.headers.filter(([name]) => passedOn.has(name.toLowerCase()))],
    ...(call.callbackUrl !== undefined && { callbackUrl: call.callbackUrl }),
    ...(call.failureCallbackUrl !== undefined && { failureCallbackUrl: call.failureCallbackUrl }),
    ...(call.callbackHeaders !== undefined && { callbackHeaders: call.callbackHeaders }),
    ...(call.labels !== undefined && { labels: call.labels }),
    ...(call.ownSecret !== undefined && { ownSecret: call.ownSecret }),
    parentId: call.id,
    rootId: call.rootId ?? call.id,
    chainDepth: (call.chainDepth ?? 0) + 1,
    ...(steps.length > 0 && { steps }),
    retry: 0,
    ...(outcome.bodyObject !== undefined && { bodyObject: outcome.bodyObject }),
    body,
  };
}

function contentType(headers: HeaderList): HeaderList {
  const found = headers.find(([name]) => name.toLowerCase() === 'content-type');
  return found === undefined ? [] : [found];
}
