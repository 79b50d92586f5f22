// Calls that follow from calls: their headers, their depth and their ids.

export { callbackUrlOf } from './callback-url-of.ts';
export { chainHeaders, maxChainDepth } from './chain-headers.ts';
export { callbackFollowerId, deriveId, type ParentLife } from './derive-call-id.ts';
export {
  chainFields,
  identityOfNext,
  maxChainSteps,
  type NextCall,
  nextCallOf,
  rootOf,
  toCancelledNext,
  toNextCall,
} from './next-call.ts';
