import { maxChainDepth, type ParentLife } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';

/** What the headers that tell where a call comes from held, each time that they came. Empty ones are left out. */
export interface OriginHeaders {
  /** `X-Call-Id` */
  readonly callIds: readonly string[];
  /** `X-Function-Status` */
  readonly functionStatuses: readonly string[];
  /** `X-Start-Time` */
  readonly startTimes: readonly string[];
  /** `X-Retry` */
  readonly retries: readonly string[];
  /** `X-Replays` */
  readonly replays: readonly string[];
  /** `X-Parent-Call-Id` */
  readonly parentCallIds: readonly string[];
  /** `X-Chain-Depth` */
  readonly chainDepths: readonly string[];
}

/** Where a call comes from. */
export interface CallOrigin {
  readonly kind: 'origin';
  /** The call that it follows; undefined if it follows none. */
  readonly parentId: string | undefined;
  /** The call whose callback it is: then its id is derived. Undefined for any other call. */
  readonly callbackOf: ParentLife | undefined;
  /** Hops from the first call of its chain. */
  readonly chainDepth: number;
}

const outside: CallOrigin = { kind: 'origin', parentId: undefined, callbackOf: undefined, chainDepth: 0 };

/**
 * Tells three kinds of calls apart, by headers that only workers set. `X-Call-Id` has been checked.
 *
 * - The callback of another call carries `X-Function-Status`, and that call's id, start time and replays.
 * - A call that a function makes from within its own call, and passes on the headers that it got, carries the id of that call
 *   with `X-Start-Time` and `X-Retry`. If its own call was a callback, `X-Function-Status` has travelled to the function and
 *   comes along; `X-Parent-Call-Id`, which is sent to functions alone, tells that it is no callback all the same.
 * - Any other call comes from outside, and its `X-Call-Id` is an id that its client chose.
 */
export function readOrigin(headers: OriginHeaders): CallOrigin | Refusal {
  const { callIds, functionStatuses, startTimes, retries, parentCallIds, chainDepths } = headers;
  const [callId] = callIds;
  const passedOn = callId !== undefined && startTimes.length > 0 && retries.length > 0;
  const isCallback = callId !== undefined && functionStatuses.length > 0 && !(passedOn && parentCallIds.length > 0);
  if (!isCallback && !passedOn && chainDepths.length === 0) {
    return outside;
  }
  const depth = readDepth(chainDepths);
  if (typeof depth !== 'number') {
    return depth;
  }
  // A callback comes with the depth of the call that it makes, a function with that of the call that it is in.
  const chainDepth = passedOn && !isCallback ? depth + 1 : depth;
  if (chainDepth > maxChainDepth) {
    return tooDeep;
  }
  return isCallback ? fromCallback(callId, headers, chainDepth) : fromWithin(passedOn ? callId : undefined, chainDepth);
}

function fromCallback(
  callId: string,
  { startTimes, replays }: OriginHeaders,
  chainDepth: number,
): CallOrigin | Refusal {
  const [generation = '0'] = replays;
  if (replays.length > 1 || !/^\d{1,15}$/.test(generation)) {
    return refusal('invalid_replays', 'X-Replays of a callback must be sent once, as a whole number.');
  }
  const callbackOf = { callId, startTime: startTimes.join(), generation: Number(generation) };
  return { kind: 'origin', parentId: callId, callbackOf, chainDepth };
}

function fromWithin(parentId: string | undefined, chainDepth: number): CallOrigin {
  return { kind: 'origin', parentId, callbackOf: undefined, chainDepth };
}

function readDepth(depths: readonly string[]): number | Refusal {
  const [depth = '0'] = depths;
  return depths.length > 1 || !/^\d{1,9}$/.test(depth) ? invalidDepth : Number(depth);
}

const invalidDepth = refusal('invalid_chain_depth', 'X-Chain-Depth must be sent once, as a whole number.');
const tooDeep = refusal(
  'chain_too_deep',
  `The call is more than ${maxChainDepth} hops from the first of its chain. The chain may lead back to itself.`,
);
