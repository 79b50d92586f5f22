// Reads the configuration of a process from its environment, and describes it.

export { allConfigured } from './all-configured.ts';
export {
  ConfigError,
  type ConfigOf,
  type ConfigProblem,
  type Field,
  parseConfig,
  refuseProblems,
  type Schema,
} from './config.ts';
export {
  choice,
  duration,
  durationList,
  flag,
  fraction,
  integer,
  integerList,
  list,
  listOf,
  size,
  text,
  url,
  urlList,
  value,
} from './config-fields.ts';
export { describeConfig } from './describe-config.ts';
export { choiceType, type ValueType } from './value-types.ts';
