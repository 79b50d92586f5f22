// The errors of the client: one class for each kind of cause, each with a stable code.

export { checkOptions, type OptionNames } from './check-options.ts';
export {
  AsyncfnError,
  CallbackError,
  type CallbackErrorCode,
  OptionError,
  ProblemError,
  type ProblemFields,
  UnexpectedAnswerError,
  UnreachableError,
  type UnreachableErrorCode,
} from './errors.ts';
