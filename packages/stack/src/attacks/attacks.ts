import { type StartAttack, toAttackRequest } from './attack.ts';
import { largeBodies } from './large-bodies.ts';
import { call, callWithReceiver, refused, requests } from './requests.ts';
import { slowBodies } from './slow-bodies.ts';
import { waitFor } from './waiters.ts';

const events = { Accept: 'text/event-stream' };

/** Ways in which one caller may harm others. Numbers are those of one second. */
export const attacks = {
  '50 invented names': requests(50, (target, index, nonce) => call(target, `invented-${nonce}-${index}`)),
  '10 results of 8 MiB, for hosts that hang': requests(10, (target, index) =>
    callWithReceiver(target, 'huge', `127.1.2.${1 + (index % 200)}`, '/hang'),
  ),
  '2,000 connections with ?wait=5m': waitFor('?wait=5m'),
  '2,000 connections with server-sent events': waitFor('', events),
  '300 HEAD with text/event-stream': requests(300, (target) =>
    toAttackRequest(target, 'HEAD /async-function/no-such-call', events),
  ),
  '8 bodies of 64 MiB at a time': largeBodies,
  '500 connections with slow headers and bodies': slowBodies,
  '1,000 calls of a function that answers at once': requests(1_000, (target) => call(target, 'fast')),
  '1,000 calls of a slow function': requests(1_000, (target) => call(target, 'slow')),
  '900 requests with unknown functions, tokens or calls': requests(900, refused),
  '300 calls with callbacks to a receiver that is fast': requests(300, (target) =>
    callWithReceiver(target, 'fast', '127.1.3.1', '/inbox'),
  ),
  '200 calls with ids of its own': requests(200, (target, index, nonce) =>
    call(target, 'fast', { 'X-Call-Id': `${nonce}-${index}` }),
  ),
  '200 calls with idempotency keys': requests(200, (target, index, nonce) =>
    call(target, 'fast', { 'Idempotency-Key': `${nonce}-${index}` }),
  ),
  /** More than a gateway accepts. */
  '20,000 calls, sent ahead on 64 connections': requests(20_000, (target) => call(target, 'fast')),
} as const satisfies Readonly<Record<string, StartAttack>>;

export type AttackName = keyof typeof attacks;
