import { functionsConfig } from '@asyncfn/live-functions';
import {
  durabilityLevels,
  groupCommitSetting,
  natsSyncSetting,
  streamLimitSetting,
  streamLimitType,
} from '@asyncfn/queue-core';
import { callbackRuleSettings, portRangeType, targetRuleType } from '@asyncfn/queue-core/callback-guard';
import { uploadBytes } from '@asyncfn/queue-core/jetstream';
import {
  type ConfigOf,
  type ConfigProblem,
  choice,
  commonConfig,
  duration,
  flag,
  host,
  integer,
  listOf,
  opsPort,
  processes,
  size,
  text,
  value,
} from '@asyncfn/service-kit';
import { rateType } from '@asyncfn/tokens';
import { roomForLarge } from './http/index.ts';

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

/** The settings of the gateway. */
export const gatewayConfig = {
  ...commonConfig,
  ...functionsConfig,
  opsPort: opsPort(8082),
  processes: processes(
    'Gateway processes that share `PORT`, `auto` for one on each core. Each has its own operations port, from `OPS_PORT` upwards, with its own metrics. Limits such as `MAX_CONNECTIONS` apply to each process.',
  ),
  host: host('Address of the API.'),
  port: integer({ env: 'PORT', default: 8080, max: 65_535, doc: 'Port of the API; 0 picks a free one.' }),
  auth: choice({
    env: 'AUTH',
    values: ['tokens', 'none'],
    doc: '`none` leaves the API open to anyone who reaches it. Default: `tokens` if `AUTH_TOKENS_FILE` is set; without it the API is open on a loopback address, and does not start on any other.',
  }),
  authTokensFile: text({ env: 'AUTH_TOKENS_FILE', doc: 'Path of the file with the tokens of callers.' }),
  webhookSecretsDir: text({
    env: 'WEBHOOK_SECRETS_DIR',
    doc: 'Folder with the secrets of webhooks. Functions that the API has registered may name only files below it, and relative paths start there. Default: only a functions file can name secrets. See docs/webhooks.md.',
  }),
  webhookRatePerAddress: value(rateType, {
    env: 'WEBHOOK_RATE_PER_ADDRESS',
    default: { requests: 1_000, windowMs: 1_000 },
    doc: 'Requests to `/webhook/` that one public address (of IPv6 a `/64`) may send. Beyond it: 429. Private addresses are those of proxies and have no limit.',
  }),
  console: choice({
    env: 'CONSOLE',
    values: ['on', 'off'],
    default: 'on',
    doc: 'Whether the gateway serves the console at `/console`.',
  }),
  maxBodyBytes: size({
    env: 'MAX_BODY_BYTES',
    default: mebibyte,
    min: 1,
    max: 5 * 1024 * mebibyte,
    doc: 'Largest body of a call, at most 5 GiB. Bodies of groups, batches, webhooks and schedules must also fit into `max_payload` of NATS together with their headers. See docs/large-bodies.md.',
  }),
  offloadBytes: size({
    env: 'OFFLOAD_BYTES',
    default: 512 * 1024,
    min: 1,
    doc: 'A larger body of a call is stored apart from the call, while it arrives. At most what `max_payload` of NATS leaves beside the headers.',
  }),
  bodyStoreMaxBytes: size({
    env: 'BODY_STORE_MAX_BYTES',
    min: 1,
    doc: 'Maximum number of bytes that the store of large bodies may have. Beyond it calls with a large body get 503 `queue_full`. Set it to the same value on all gateways. Default: no limit.',
  }),
  maxBatchCalls: integer({
    env: 'MAX_BATCH_CALLS',
    default: 10_000,
    min: 1,
    max: 10_000,
    doc: 'Maximum number of calls in a batch.',
  }),
  maxBatchBytes: size({
    env: 'MAX_BATCH_BYTES',
    default: 64 * mebibyte,
    min: 1,
    doc: 'Largest request for a batch. A JSON document is read whole, and so must also fit into seven eighths of `MAX_INFLIGHT_BYTES`.',
  }),
  maxInflightBytes: size({
    env: 'MAX_INFLIGHT_BYTES',
    default: 128 * mebibyte,
    min: 1,
    doc: 'Total bytes of bodies that are being read or wait for JetStream. Beyond it the gateway answers 503 before it reads more. Results and lists that are being sent to clients may use the same amount again.',
  }),
  maxConnections: integer({
    env: 'MAX_CONNECTIONS',
    default: 16_384,
    min: 1,
    doc: 'Maximum number of open connections to the API. Beyond it new ones are dropped and idle ones closed. Needs as many file descriptors.',
  }),
  maxWaiters: integer({
    env: 'MAX_WAITERS',
    default: 5_000,
    min: 1,
    doc: 'Maximum number of requests that wait for a call at once (`?wait=`, server-sent events). Beyond it: 503.',
  }),
  maxWaitersPerToken: integer({
    env: 'MAX_WAITERS_PER_TOKEN',
    default: 1_000,
    min: 1,
    doc: 'The same for each token. Beyond it: 429.',
  }),
  maxUnregisteredFunctions: integer({
    env: 'MAX_UNREGISTERED_FUNCTIONS',
    default: 1_000,
    min: 1,
    max: 5_000,
    doc:
      'Maximum number of functions in a queue that exist only through `defaults.url` and had calls within the last ten ' +
      'minutes. The call of a further name gets 503 `too_many_functions`. Registered functions do not count.',
  }),
  maxUnregisteredPerToken: integer({
    env: 'MAX_UNREGISTERED_FUNCTIONS_PER_TOKEN',
    default: 250,
    min: 1,
    doc: 'The same for functions first called with one token, at each gateway. The call of a further name gets 429 `too_many_names`.',
  }),
  publishTimeoutMs: duration({
    env: 'PUBLISH_TIMEOUT',
    default: 5_000,
    min: 1,
    max: hourMs,
    doc: 'The gateway answers 503 if JetStream has not stored a call by then.',
  }),
  groupCommit: choice(groupCommitSetting),
  resultTtlMs: duration({
    env: 'RESULT_TTL',
    default: hourMs,
    min: 0,
    max: 365 * 24 * hourMs,
    doc:
      'How long the state and the result of an ended call are available. `0`: results are not available. The broker ' +
      'keeps the record for at least 10 minutes. Set it to the same value on all gateways.',
  }),
  idempotencyWindowMs: duration({
    env: 'IDEMPOTENCY_WINDOW',
    default: 24 * hourMs,
    min: 1_000,
    max: 365 * 24 * hourMs,
    doc: 'How long an `Idempotency-Key` is remembered, counted from the acceptance of its call.',
  }),
  requireDurability: choice({
    env: 'REQUIRE_DURABILITY',
    values: durabilityLevels,
    doc: 'The gateway answers 503 while the broker offers less than this. Default: no requirement. See docs/durability.md.',
  }),
  natsSync: choice(natsSyncSetting),
  queueMaxBytes: size({
    env: 'QUEUE_MAX_BYTES',
    min: 1,
    doc: 'Maximum number of bytes in a queue. Beyond it calls get 503 `queue_full`. The functions file can set another limit for a queue. Default: no limit.',
  }),
  streamMaxBytes: listOf(streamLimitType, streamLimitSetting),
  callbackAllow: listOf(targetRuleType, callbackRuleSettings.allow),
  callbackDeny: listOf(targetRuleType, callbackRuleSettings.deny),
  callbackPorts: listOf(portRangeType, callbackRuleSettings.ports),
  callbackHttpsOnly: flag(callbackRuleSettings.httpsOnly),
};

export type GatewayConfig = ConfigOf<typeof gatewayConfig>;

/** What NATS can be configured to take in one message. */
const largestMessage = 64 * mebibyte;

/** Largest body that a gateway reads whole, for requests whose body is not stored while it arrives. */
export function wholeBodyBytes({ maxBodyBytes, maxInflightBytes }: SizeSettings): number {
  return Math.min(maxBodyBytes, largestMessage, roomForLarge(maxInflightBytes));
}

type SizeSettings = Pick<GatewayConfig, 'maxBodyBytes' | 'maxInflightBytes'>;

/** Contradictions between settings that are each valid. */
export function contradictions(config: SizeSettings & Pick<GatewayConfig, 'offloadBytes'>): ConfigProblem[] {
  const { maxBodyBytes, maxInflightBytes, offloadBytes } = config;
  const needed = maxBodyBytes > offloadBytes ? Math.max(offloadBytes, uploadBytes) : maxBodyBytes;
  return needed > roomForLarge(maxInflightBytes)
    ? [
        {
          name: 'MAX_INFLIGHT_BYTES',
          problem: `must be at least ${Math.ceil((needed * 8) / 7)} bytes; otherwise a large body never fits`,
        },
      ]
    : [];
}
