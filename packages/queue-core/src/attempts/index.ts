// What is kept of the attempts of a call: in its retry message, its outcome and its dead letter.

export {
  AttemptRecord,
  type AttemptVerdict,
  decided,
  withAttempt,
  withoutHistory,
} from './attempt-record.ts';
