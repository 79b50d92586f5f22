export { allConfigured } from './all-configured.ts';
export { createBoundedLabel } from './bounded-label.ts';
export { brokerAddress, commonConfig, host, opsAddress, opsPort, processConfig } from './common-config.ts';
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
export { answerHalfClosed } from './half-closed-clients.ts';
export { type HostPattern, hostPatternType } from './hosts/host-pattern.ts';
export { isLoopback } from './hosts/loopback.ts';
export { OwnHosts } from './hosts/own-hosts.ts';
export { createService, type Service } from './lifecycle.ts';
export { createLogger, type Logger } from './logger.ts';
export { createOpsServer, createRegistry, type OpsServer, type Readiness } from './ops-server.ts';
export { type Phase, runPhases } from './phases.ts';
export { type ProcessContext, runProcess } from './process.ts';
export { displayUrl } from './redact-url.ts';
export { type FurtherFiles, type ParsedSettings, SettingsFile } from './settings-files/settings-file.ts';
export { watchFile } from './settings-files/watch-file.ts';
export { TallyCounter } from './tally-counter.ts';
export { after, every, sleep } from './timing.ts';
export { contextFrom, hasContext, traceIdFrom, withContext } from './tracing/carried-context.ts';
export { startTracing, type Tracing } from './tracing/tracing.ts';
export { readVersion } from './version.ts';
