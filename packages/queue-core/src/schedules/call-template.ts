import { type Static, Type } from 'typebox';
import { type Call, CallEnvelope, type ChainStep, splitStep } from '../call/index.ts';
import { deriveId } from '../chain/index.ts';
import { bodyOf, type ScheduleSettings } from './schedule-settings.ts';

const { properties } = CallEnvelope;

/** All of a call that is the same for each moment, as a gateway has checked it. */
export const CallTemplate = Type.Object({
  path: properties.path,
  query: properties.query,
  headers: properties.headers,
  callbackUrl: properties.callbackUrl,
  failureCallbackUrl: properties.failureCallbackUrl,
  callbackHeaders: properties.callbackHeaders,
  labels: properties.labels,
  submitter: properties.submitter,
  ownSecret: properties.ownSecret,
  /** Absent if the settings of the function decide what follows. */
  steps: properties.steps,
  flow: properties.flow,
  maxRetries: properties.maxRetries,
  timeoutMs: properties.timeoutMs,
  expiresInMs: Type.Optional(Type.Integer({ minimum: 1 })),
});

export type CallTemplate = Readonly<Static<typeof CallTemplate>>;

/** Of which schedule the call is, and for which moment. */
interface ScheduledFor {
  readonly name: string;
  readonly settings: ScheduleSettings;
  readonly template: CallTemplate;
  /** Unix time in milliseconds. */
  readonly at: number;
}

/** A function as it is now. */
interface Target {
  readonly name: string;
  readonly queue: string;
  readonly callbackUrl?: string | undefined;
  readonly failureCallbackUrl?: string | undefined;
  readonly steps?: readonly string[] | undefined;
}

interface CallParts {
  readonly id: string;
  readonly target: Target;
  /** `X-Start-Time`. */
  readonly startTime: string;
  readonly lookup: (name: string) => Target | undefined;
}

/** The id of the call for a moment of a schedule: whichever worker fires it, and however often, it is the same. */
export function scheduledCallId(name: string, at: number): string {
  return deriveId(['asyncfn schedule', name, at]);
}

/** The call of a schedule for one moment. What the schedule leaves open is as the settings of its function say. */
export function toScheduledCall(of: ScheduledFor, { id, target, startTime, lookup }: CallParts): Call {
  const { expiresInMs, ...fixed } = of.template;
  const { callbackUrl = target.callbackUrl, failureCallbackUrl = target.failureCallbackUrl } = fixed;
  const { steps = target.steps?.map((text) => toStep(text, target, lookup)) } = fixed;
  return {
    ...fixed,
    id,
    function: target.name,
    queue: target.queue,
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(failureCallbackUrl !== undefined && { failureCallbackUrl }),
    ...(steps !== undefined && steps.length > 0 && { steps }),
    ...(expiresInMs !== undefined && { expiresAt: Number(startTime.slice(0, -6)) + expiresInMs }),
    schedule: { name: of.name, at: of.at },
    startTime,
    retry: 0,
    body: bodyOf(of.settings),
  };
}

/** A step whose function is gone by now ends as a call of a removed function does. */
function toStep(text: string, target: Target, lookup: CallParts['lookup']): ChainStep {
  const { function: name, path, query } = splitStep(text);
  const found = lookup(name) ?? { name, queue: target.queue };
  return { function: found.name, queue: found.queue, path, query };
}
