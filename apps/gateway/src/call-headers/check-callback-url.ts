import { type CallbackPolicy, readCallbackUrl } from '@asyncfn/queue-core/callback-guard';
import { type Refusal, refusal } from '../problem.ts';

/** Refuses an `X-Callback-Url` that is invalid, not allowed or ambiguous. */
export function checkCallbackUrl(text: string, policy: Pick<CallbackPolicy, 'objectTo'>): Refusal | undefined {
  const url = readCallbackUrl(text);
  if (url === undefined) {
    return refusal('invalid_callback_url', 'X-Callback-Url must be an absolute http or https URL, in visible ASCII.');
  }
  const objection = policy.objectTo(url.parsed);
  if (objection !== undefined) {
    return refusal('callback_not_allowed', `The result may not be sent to X-Callback-Url: ${objection.detail}.`);
  }
  return url.ambiguity === undefined
    ? undefined
    : refusal('invalid_callback_url', `X-Callback-Url could be read in two ways: ${url.ambiguity}.`);
}
