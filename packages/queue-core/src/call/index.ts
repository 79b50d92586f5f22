// A call: its fields, its identity, its encoding, and its subjects at the broker.

export {
  BatchPlace,
  BodyObject,
  bodyIdPattern,
  bodyLengthOf,
  type Call,
  CallEnvelope,
  CallFlow,
  createCallId,
  emptyBody,
  type HeaderList,
  hasStarted,
  isLabel,
  Labels,
  MomentTime,
  maxLabelLength,
  maxLabels,
  maxParallelism,
  needsTurn,
  phaseUntilDue,
} from './call.ts';
export {
  addressOf,
  addressTokens,
  type CallAddress,
  type CallIdentity,
  callIdPattern,
  identityFields,
  identityIn,
  identityOf,
  identityTokens,
  isCallId,
  isSameCall,
  ownerOf,
  parseIdentity,
} from './call-identity.ts';
export { isForwardable, ownCallbackHeaders } from './callback-headers.ts';
export { type ChainStep, showStep, splitStep } from './chain-step.ts';
export { callHeader, type DecodedCall, decodeCall, encodeEnvelope } from './codec.ts';
export { connectionOptions, endToEndHeaders, hopByHopHeaders } from './end-to-end-headers.ts';
export {
  functionNamePattern,
  isNamePart,
  namePartPattern,
  namespaceType,
  parseFunctionName,
  queueNameType,
} from './function-name.ts';
export { type GenerationKey, generationTokens, keyOf } from './generation.ts';
export { withStorableHeaders } from './storable-headers.ts';
export { climbs } from './sub-path.ts';
export {
  type CallSubject,
  callFilter,
  callPattern,
  callSubject,
  consumerFunction,
  flowEntryFilter,
  flowEntrySubject,
  flowNoticeSubject,
  flowStateSubject,
  functionConsumer,
  functionFilter,
  functionTokens,
  keySubject,
  parseCallSubject,
  parseFlowEntry,
  queueStream,
  queueSubjects,
  readCallSubject,
  scheduledFilter,
  streamQueue,
  waitingFilter,
} from './subjects.ts';
