import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Compared with the token of a request if the function has none. */
const noToken = randomBytes(32).toString('hex');

/**
 * The answer to Meta's request whether an address is right: the challenge that it sends with the function's token.
 * Undefined for anything else.
 *
 * @param query of the request
 * @param verifyToken undefined if the function has none
 * @see https://developers.facebook.com/docs/graph-api/webhooks/getting-started
 */
export function answerSubscription(query: string, verifyToken: string | undefined): string | undefined {
  const parameters = new URLSearchParams(query);
  const challenge = parameters.get('hub.challenge') ?? '';
  const isKnown = isSame(parameters.get('hub.verify_token') ?? '', verifyToken ?? noToken);
  const isAsked = parameters.get('hub.mode') === 'subscribe' && /^[!-~]{1,1024}$/.test(challenge);
  return isKnown && isAsked && verifyToken !== undefined ? challenge : undefined;
}

function isSame(one: string, other: string): boolean {
  return timingSafeEqual(hash(one), hash(other));
}

function hash(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
