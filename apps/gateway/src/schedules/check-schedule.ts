import {
  type CallTemplate,
  type CheckedSettings,
  rawHeadersOf,
  type ScheduleSettings,
  scheduleProblems,
} from '@asyncfn/queue-core/schedules';
import type { Caller } from '@asyncfn/tokens';
import { type AcceptContext, type CallDraft, draftCall } from '../enqueue/index.ts';
import { type Refusal, refusal } from '../problem.ts';

/** What a gateway has found about the settings of a schedule. */
export type ScheduleCheck = ({ readonly kind: 'checked' } & CheckedSettings) | Refusal;

/** Checks the settings of a schedule that the API gets, and reports every problem at once. */
export function checkSchedule(value: unknown, caller: Caller, context: AcceptContext): ScheduleCheck {
  const problems = scheduleProblems(value);
  if (problems.length > 0) {
    return refusal('invalid_schedule', `${problems.map(({ keys, problem }) => describe(keys, problem)).join('; ')}.`);
  }
  return checkCalls(value as ScheduleSettings, caller, context);
}

/** Checks what each call of a schedule would be, as that of a request is checked. */
export function checkCalls(settings: ScheduleSettings, caller: Caller, context: AcceptContext): ScheduleCheck {
  const url = `/async-function/${settings.function}${settings.path ?? ''}`;
  const draft = draftCall({ url, rawHeaders: rawHeadersOf(settings), peer: undefined, caller }, context);
  if (draft.kind === 'refused') {
    return draft;
  }
  const misplaced = misplacedHeader(draft);
  return misplaced === undefined
    ? { kind: 'checked', settings, template: toTemplate(draft, settings) }
    : refusal('invalid_schedule', `headers may not have ${misplaced}, since each call of a schedule is a new one.`);
}

/** Text that is not a plain word may be anything that a client has sent, and is not repeated (P9). */
function describe(keys: readonly string[], problem: string): string {
  const isPlain = keys.every((key) => /^[A-Za-z0-9_.-]{1,64}$/.test(key));
  return `${keys.length === 0 ? 'the schedule' : isPlain ? keys.join('.') : 'a setting'} ${problem}`;
}

/** A header that makes a call a certain one, or part of something else. */
function misplacedHeader({ clientChoseId, derivedId, headers }: CallDraft): string | undefined {
  const { idempotencyKey, times, origin } = headers;
  const isDelayed = times.delayMs !== undefined || times.notBefore !== undefined;
  const found: readonly (readonly [boolean, string])[] = [
    [clientChoseId, 'X-Call-Id'],
    [derivedId || origin.parentId !== undefined || origin.chainDepth > 0, 'the headers of a callback'],
    [idempotencyKey !== undefined, 'Idempotency-Key'],
    [isDelayed, 'X-Delay and X-Not-Before'],
  ];
  return found.find(([isThere]) => isThere)?.[1];
}

/** All of a call that does not depend on its moment, and that the schedule itself says. */
function toTemplate(
  { target, headers, steps, submitter, ownSecret }: CallDraft,
  { headers: own = {} }: ScheduleSettings,
) {
  const { callbackUrl, failureCallbackUrl, callbackHeaders, labels, maxRetries, timeoutMs, times, flow } = headers;
  const isOwn = Object.keys(own).some((name) => name.toLowerCase() === 'x-forwarded-proto');
  // No request has brought the call.
  const travelling = headers.travelling.filter(([name]) => isOwn || name !== 'X-Forwarded-Proto');
  const template: CallTemplate = {
    path: target.path,
    query: target.query,
    headers: travelling.map(([name, value]) => [name, value]),
    ...(callbackUrl !== undefined && { callbackUrl }),
    ...(failureCallbackUrl !== undefined && { failureCallbackUrl }),
    ...(callbackHeaders.length > 0 && { callbackHeaders: callbackHeaders.map(([name, value]) => [name, value]) }),
    ...(labels.length > 0 && { labels: [...labels] }),
    ...(submitter !== undefined && { submitter }),
    ...(ownSecret && { ownSecret }),
    ...(headers.thens.length > 0 && { steps: [...steps] }),
    ...(flow !== undefined && { flow }),
    ...(maxRetries !== undefined && { maxRetries }),
    ...(timeoutMs !== undefined && { timeoutMs }),
    ...(times.expiresInMs !== undefined && { expiresInMs: times.expiresInMs }),
  };
  return template;
}
