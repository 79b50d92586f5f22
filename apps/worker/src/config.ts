import { functionsConfig } from '@asyncfn/live-functions';
import {
  groupCommitSetting,
  natsSyncSetting,
  queueNameType,
  streamLimitSetting,
  streamLimitType,
} from '@asyncfn/queue-core';
import { callbackRuleSettings, portRangeType, targetRuleType } from '@asyncfn/queue-core/callback-guard';
import { uploadBytes } from '@asyncfn/queue-core/jetstream';
import { defaultRetryPolicy, type RetryPolicy } from '@asyncfn/queue-core/settle';
import { signingSecretType } from '@asyncfn/queue-core/webhook';
import {
  ConfigError,
  type ConfigOf,
  type ConfigProblem,
  choice,
  commonConfig,
  duration,
  durationList,
  flag,
  host,
  integer,
  integerList,
  listOf,
  opsPort,
  processes,
  size,
  text,
} from '@asyncfn/service-kit';
import { minResponses } from './memory/index.ts';
import { dnsServerType } from './names/index.ts';

const mebibyte = 1024 * 1024;
const gibibyte = 1024 * mebibyte;
const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;

/** For functions that set none of their own. */
const retryConfig = {
  retryAttempts: integer({
    env: 'RETRY_ATTEMPTS',
    default: defaultRetryPolicy.attempts,
    max: 1000,
    doc: 'Retries after the first try. Like all `RETRY_*`, it applies to functions without a value of their own.',
  }),
  retryMinWaitMs: duration({
    env: 'RETRY_MIN_WAIT',
    default: defaultRetryPolicy.minWaitMs,
    doc: 'Wait before the first retry; doubled for each further one.',
  }),
  retryMaxWaitMs: duration({
    env: 'RETRY_MAX_WAIT',
    default: defaultRetryPolicy.maxWaitMs,
    doc: 'Longest wait before a retry.',
  }),
  retryBackoff: choice({
    env: 'RETRY_BACKOFF',
    values: ['exponential', 'full', 'equal'],
    default: defaultRetryPolicy.backoff,
    doc: 'Random share of the wait: `exponential` none, `full` all of it, `equal` half of it.',
  }),
  retryAfterMaxMs: duration({
    env: 'RETRY_AFTER_MAX',
    default: defaultRetryPolicy.maxRetryAfterMs,
    doc: 'Longest wait that a function may ask for with `Retry-After` on 429 or 503. A longer one is cut to this; `RETRY_MAX_WAIT` does not limit it. Applies to all functions.',
  }),
  retryCodes: integerList({
    env: 'RETRY_CODES',
    min: 100,
    max: 599,
    default: [...defaultRetryPolicy.codes],
    doc: 'Statuses of a function that are retried.',
  }),
};

const callbackConfig = {
  callbackTimeoutMs: duration({
    env: 'CALLBACK_TIMEOUT',
    default: 15 * second,
    min: 1,
    doc: 'Deadline of one attempt to deliver a callback.',
  }),
  callbackRetryScheduleMs: durationList({
    env: 'CALLBACK_RETRY_SCHEDULE',
    min: 1,
    default: [5 * second, 30 * second, 2 * minute, 10 * minute, hour, 3 * hour, 6 * hour],
    doc: 'Wait before each retry of a callback. A callback that fails after the last one becomes a dead letter.',
  }),
  callbackMaxInflight: integer({
    env: 'CALLBACK_MAX_INFLIGHT',
    default: 100,
    min: 1,
    max: 10_000,
    doc: 'Maximum number of callbacks in flight. One token may use half of them; half of every share is reserved for receivers that have answered lately.',
  }),
  callbackMaxPerHost: integer({
    env: 'CALLBACK_MAX_PER_HOST',
    default: 10,
    min: 1,
    max: 10_000,
    doc: 'Maximum number of callbacks of one token in flight to one host, so that a host that hangs leaves room for others.',
  }),
  callbackDnsServers: listOf(dnsServerType, {
    env: 'CALLBACK_DNS_SERVERS',
    default: [],
    doc: 'DNS servers for the host names of callback URLs. Default: those of this machine (`/etc/resolv.conf`). The hosts file and the search list of the machine apply in either case.',
  }),
  callbackSigningSecrets: listOf(signingSecretType, {
    env: 'CALLBACK_SIGNING_SECRETS',
    secret: true,
    default: [],
    doc: 'Secrets that sign callbacks (Standard Webhooks v1), newest first. All of them sign. Default: not signed.',
  }),
  authTokensFile: text({
    env: 'AUTH_TOKENS_FILE',
    doc: 'Path of the tokens file of the gateways. The worker uses the `callbackSecretFile` of each token, whose secrets sign the callbacks of its calls instead of `CALLBACK_SIGNING_SECRETS`.',
  }),
  callbackAllow: listOf(targetRuleType, callbackRuleSettings.allow),
  callbackDeny: listOf(targetRuleType, callbackRuleSettings.deny),
  callbackPorts: listOf(portRangeType, callbackRuleSettings.ports),
  callbackHttpsOnly: flag(callbackRuleSettings.httpsOnly),
};

/** All settings of the worker. */
export const workerConfig = {
  ...commonConfig,
  ...functionsConfig,
  host: host('Address of the operations server, unless `OPS_HOST` names another one.'),
  opsPort: opsPort(8081),
  processes: processes(
    "Worker processes, `auto` for one on each core. Each has its own operations port, from `OPS_PORT` upwards, with its own metrics, and limits such as `MAX_INFLIGHT` apply to each. A function's `concurrency` holds for all of them together.",
  ),
  queues: listOf(queueNameType, { env: 'QUEUES', doc: 'Queues that this worker serves. Default: all.' }),
  maxInflight: integer({
    env: 'MAX_INFLIGHT',
    default: 100,
    min: 1,
    max: 10_000,
    doc: 'Slots for calls, shared by all functions. A function that has nothing in flight may always start one more.',
  }),
  maxInflightBytes: size({
    env: 'MAX_INFLIGHT_BYTES',
    default: 512 * mebibyte,
    min: 1,
    doc: 'Total bytes that the worker holds for callers at once: a third for bodies of calls in flight, a third for responses that are being read or stored, a third for callbacks. Anything that does not fit waits: calls and callbacks at the broker, a response at its function. See docs/operations.md.',
  }),
  ackWaitMs: duration({
    env: 'ACK_WAIT',
    default: 30_000,
    min: 1_000,
    doc: 'Lease of a call, renewed while the call runs. If a worker dies, another one takes over its calls after this time.',
  }),
  maxResponseBytes: size({
    env: 'MAX_RESPONSE_BYTES',
    default: 8 * mebibyte,
    min: 1,
    max: 5 * gibibyte,
    doc: "Largest body of a function's response; a larger one ends the call as failed.",
  }),
  offloadBytes: size({
    env: 'OFFLOAD_BYTES',
    default: 512 * 1024,
    min: 1,
    doc: 'A larger response is stored apart from the end of its call, while it is read. At most what `max_payload` of NATS leaves beside the headers.',
  }),
  maxResponseHeaderBytes: size({
    env: 'MAX_RESPONSE_HEADER_BYTES',
    default: 64 * 1024,
    min: 1024,
    doc: "Most bytes of the status line and the headers of a function's response; more end the call as failed.",
  }),
  bodySweepAfterMs: duration({
    env: 'BODY_SWEEP_AFTER',
    default: 15 * minute,
    min: second,
    doc: 'What a crash or a vanished client has left in the store of large bodies is removed within this time. An upload counts as left if NATS has heard nothing of it for half of it.',
  }),
  groupCommit: choice(groupCommitSetting),
  natsSync: choice(natsSyncSetting),
  queueMaxBytes: size({
    env: 'QUEUE_MAX_BYTES',
    min: 1,
    doc: 'As for gateways, and with the same value: a queue with so many bytes takes no calls of schedules. Default: no limit.',
  }),
  streamMaxBytes: listOf(streamLimitType, streamLimitSetting),
  ...retryConfig,
  ...callbackConfig,
};

export type WorkerConfig = ConfigOf<typeof workerConfig>;

/** Contradictions between settings that are each valid. */
export function contradictions(
  config: Pick<WorkerConfig, 'maxInflightBytes' | 'maxResponseBytes' | 'offloadBytes'>,
): ConfigProblem[] {
  const { maxInflightBytes, maxResponseBytes, offloadBytes } = config;
  const held = maxResponseBytes > offloadBytes ? Math.max(offloadBytes, uploadBytes) : maxResponseBytes;
  const isTooSmall = maxInflightBytes < minResponses * held;
  const what = new Map([
    [uploadBytes, `${uploadBytes / 1024}KiB, what the worker holds of a large response`],
    [offloadBytes, 'OFFLOAD_BYTES'],
    [maxResponseBytes, 'MAX_RESPONSE_BYTES'],
  ]);
  const problem = `must be at least ${minResponses} times ${what.get(held)}`;
  return isTooSmall ? [{ name: workerConfig.maxInflightBytes.env, problem }] : [];
}

/**
 * The retry policy of functions that set none.
 * @throws ConfigError for waits that contradict each other
 */
export function toRetryDefaults(config: Pick<WorkerConfig, keyof typeof retryConfig>): RetryPolicy {
  const { retryAttempts, retryMinWaitMs, retryMaxWaitMs, retryBackoff, retryAfterMaxMs, retryCodes } = config;
  if (retryMinWaitMs > retryMaxWaitMs) {
    throw new ConfigError([{ name: retryConfig.retryMinWaitMs.env, problem: 'is longer than RETRY_MAX_WAIT' }]);
  }
  return {
    attempts: retryAttempts,
    minWaitMs: retryMinWaitMs,
    maxWaitMs: retryMaxWaitMs,
    backoff: retryBackoff,
    maxRetryAfterMs: retryAfterMaxMs,
    codes: new Set(retryCodes),
  };
}
