export {
  allConfigured,
  ConfigError,
  type ConfigOf,
  type ConfigProblem,
  choice,
  describeConfig,
  duration,
  durationList,
  type Field,
  flag,
  integer,
  integerList,
  list,
  listOf,
  parseConfig,
  refuseProblems,
  type Schema,
  size,
  text,
  url,
  urlList,
  value,
} from './config/index.ts';
export { type HostPattern, hostPatternType, isLoopback, OwnHosts } from './hosts/index.ts';
export {
  type Component,
  composeService,
  createService,
  type Service,
} from './lifecycle/index.ts';
export { createLogger, displayUrl, type Logger } from './logging/index.ts';
export { createBoundedLabel, TallyCounter, TallyHistogram } from './metrics/index.ts';
export { answerHalfClosed, createOpsServer, createRegistry, type OpsServer, type Readiness } from './ops/index.ts';
export {
  brokerAddress,
  commonConfig,
  host,
  opsAddress,
  opsPort,
  type ProcessContext,
  processConfig,
  processes,
  runProcess,
  runProcesses,
} from './process/index.ts';
export { type FurtherFiles, type ParsedSettings, SettingsFile, watchFile } from './settings-files/index.ts';
export { after, every, sleep } from './timing.ts';
export { contextFrom, hasContext, startTracing, type Tracing, traceIdFrom, withContext } from './tracing/index.ts';
export { readVersion } from './version.ts';
