import { type CallbackPolicy, readCallbackUrl } from '@asyncfn/queue-core/callback-guard';
import { type Refusal, refusal } from '../problem.ts';

/** Refuses a callback URL that is invalid, not allowed or ambiguous. */
export function checkCallbackUrl(
  text: string,
  policy: Pick<CallbackPolicy, 'objectTo'>,
  header: 'X-Callback-Url' | 'X-Failure-Callback-Url' = 'X-Callback-Url',
): Refusal | undefined {
  const url = readCallbackUrl(text);
  if (url === undefined) {
    return refusal('invalid_callback_url', `${header} must be an absolute http or https URL, in visible ASCII.`);
  }
  const objection = policy.objectTo(url.parsed);
  if (objection !== undefined) {
    return refusal('callback_not_allowed', `The result may not be sent to ${header}: ${objection.detail}.`);
  }
  return url.ambiguity === undefined
    ? undefined
    : refusal('invalid_callback_url', `${header} could be read in two ways: ${url.ambiguity}.`);
}

/** Refuses callback URLs as `checkCallbackUrl` does. One that is undefined is fine. */
export function checkCallbackUrls(
  { callbackUrl, failureCallbackUrl }: CallbackUrls,
  policy: Pick<CallbackPolicy, 'objectTo'>,
): Refusal | undefined {
  return (
    (callbackUrl === undefined ? undefined : checkCallbackUrl(callbackUrl, policy)) ??
    (failureCallbackUrl === undefined
      ? undefined
      : checkCallbackUrl(failureCallbackUrl, policy, 'X-Failure-Callback-Url'))
  );
}

interface CallbackUrls {
  readonly callbackUrl: string | undefined;
  readonly failureCallbackUrl: string | undefined;
}
