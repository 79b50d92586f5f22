// What is stored about a body that is kept apart from its call: its record, and its subjects. Pure.

export {
  type BodyOwner,
  type BodyRecord,
  bodyBucket,
  bodyChunkFilter,
  bodyChunkSubject,
  bodyIdIn,
  bodyOwnerOf,
  bodyRecordCodec,
  bodyRecordFilter,
  bodyRecordSubject,
  bodySpace,
  type StoredReply,
  toToken,
  type WholeBody,
} from './body-record.ts';
