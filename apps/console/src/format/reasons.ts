/** Reasons of dead letters and ends in words. A reason of a later version is shown as it is. */
const reasons: Readonly<Record<string, string>> = {
  retries_exhausted: 'All retries failed',
  rejected: 'The function answered with an error',
  non_retryable: 'The function asked for no retry',
  expired: 'It was not started in time',
  response_too_large: 'The response was too large',
  bad_response: 'The response was not HTTP',
  unknown_function: 'The function is not registered',
  undecodable: 'The stored call cannot be read',
  worker_crash: 'Five workers died during the call',
  too_large: 'It no longer fits into a message of the broker',
  callback_undeliverable: 'The callback was not delivered',
};

export function describeReason(reason: string): string {
  return reasons[reason] ?? reason.replaceAll('_', ' ');
}
