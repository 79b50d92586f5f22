import { isCallId, maxChainDepth, type ParentLife } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';

/** All values of the headers that show the origin of a call, without empty ones. */
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
  /** `X-Batch-Id` */
  readonly batchIds: readonly string[];
}

/** The origin of a call. */
export interface CallOrigin {
  readonly kind: 'origin';
  /** The call that it follows; undefined if it follows none. */
  readonly parentId: string | undefined;
  /** The call or batch whose callback this is, so its id is derived. Undefined for any other call. */
  readonly callbackOf: ParentLife | undefined;
  /** Hops from the first call of its chain. */
  readonly chainDepth: number;
}

const outside: CallOrigin = { kind: 'origin', parentId: undefined, callbackOf: undefined, chainDepth: 0 };

/**
 * Distinguishes four kinds of calls by headers that only workers set. `X-Call-Id` has been checked.
 *
 * - The callback of another call has `X-Function-Status`, and that call's id, start time and replays.
 * - A call that a function makes with the headers it received has the id of the function's own call, with
 *   `X-Start-Time` and `X-Retry`. If that call was a callback, the function also received `X-Function-Status` and
 *   passes it on; `X-Parent-Call-Id`, which only functions receive, shows that this is not a callback.
 * - The callback of a batch has `X-Batch-Id`, and that batch's start time and depth, and is about no call.
 * - Any other call comes from outside, and its client chose `X-Call-Id`.
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
  // A callback contains the depth of the call that it makes; a function sends the depth of its own call.
  const chainDepth = passedOn && !isCallback ? depth + 1 : depth;
  if (chainDepth > maxChainDepth) {
    return tooDeep;
  }
  return isCallback
    ? fromCallback(callId, headers, chainDepth)
    : (fromBatch(headers, chainDepth) ?? fromWithin(passedOn ? callId : undefined, chainDepth));
}

/** Undefined for what is not the callback of a batch. */
function fromBatch(headers: OriginHeaders, chainDepth: number): CallOrigin | undefined {
  const { callIds, batchIds, startTimes, chainDepths } = headers;
  const [callId] = batchIds;
  if (callId === undefined || !isCallId(callId) || callIds.length > 0) {
    return undefined;
  }
  return batchIds.length === 1 && startTimes.length === 1 && chainDepths.length === 1
    ? {
        kind: 'origin',
        parentId: undefined,
        callbackOf: { callId, startTime: startTimes.join(), generation: 0 },
        chainDepth,
      }
    : undefined;
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
