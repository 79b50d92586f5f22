import { functionsConfig } from '@asyncfn/live-functions';
import { durabilityLevels, streamLimitSetting, streamLimitType } from '@asyncfn/queue-core';
import { callbackRuleSettings, portRangeType, targetRuleType } from '@asyncfn/queue-core/callback-guard';
import { groupCommitModes } from '@asyncfn/queue-core/jetstream';
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
  size,
  text,
} from '@asyncfn/service-kit';
import { roomForLarge } from './http/index.ts';

const mebibyte = 1024 * 1024;
const hourMs = 3_600_000;

/** All that the gateway is configured by. */
export const gatewayConfig = {
  ...commonConfig,
  ...functionsConfig,
  opsPort: opsPort(8082),
  processes: integer({
    env: 'PROCESSES',
    default: 1,
    min: 1,
    max: 256,
    doc: 'Gateways that run side by side and share `PORT`, at best one for each core. Each has an operations port of its own, from `OPS_PORT` upwards, with its own metrics. Limits such as `MAX_CONNECTIONS` hold for each.',
  }),
  host: host('Address of the API.'),
  port: integer({ env: 'PORT', default: 8080, max: 65_535, doc: 'Port of the API; 0 picks a free one.' }),
  auth: choice({
    env: 'AUTH',
    values: ['tokens', 'none'],
    doc: '`none` leaves the API open to whoever reaches it. Default: tokens where `AUTH_TOKENS_FILE` is set; without it the API is open on a loopback address, and does not start on any other.',
  }),
  authTokensFile: text({ env: 'AUTH_TOKENS_FILE', doc: 'Path of the file of the tokens that callers need.' }),
  maxBodyBytes: size({
    env: 'MAX_BODY_BYTES',
    default: mebibyte,
    min: 1,
    doc: 'Largest body of a call. Body and headers must also fit into `max_payload` of NATS.',
  }),
  maxInflightBytes: size({
    env: 'MAX_INFLIGHT_BYTES',
    default: 128 * mebibyte,
    min: 1,
    doc: 'What the bodies that are being read or wait for JetStream may take together. Beyond it: 503, before more is read. Results that are being sent to clients may take as much again.',
  }),
  maxConnections: integer({
    env: 'MAX_CONNECTIONS',
    default: 16_384,
    min: 1,
    doc: 'Connections to the API at once. Beyond it new ones are dropped and idle ones closed. Needs as many file descriptors.',
  }),
  maxWaiters: integer({
    env: 'MAX_WAITERS',
    default: 5_000,
    min: 1,
    doc: 'Requests that wait for a call (`?wait=`, server-sent events) at once. Beyond it: 503.',
  }),
  maxWaitersPerToken: integer({
    env: 'MAX_WAITERS_PER_TOKEN',
    default: 1_000,
    min: 1,
    doc: 'Of these, those of one token. Beyond it: 429.',
  }),
  maxUnregisteredFunctions: integer({
    env: 'MAX_UNREGISTERED_FUNCTIONS',
    default: 1_000,
    min: 1,
    max: 5_000,
    doc:
      'Functions that exist by `defaults.url` alone and have had calls within the last ten minutes. A further name: 503, ' +
      '`too_many_functions`. What is registered does not count.',
  }),
  maxUnregisteredPerToken: integer({
    env: 'MAX_UNREGISTERED_FUNCTIONS_PER_TOKEN',
    default: 250,
    min: 1,
    doc: 'Of these, those whose first call came with one token, at each gateway. A further name: 429, `too_many_names`.',
  }),
  publishTimeoutMs: duration({
    env: 'PUBLISH_TIMEOUT',
    default: 5_000,
    min: 1,
    max: hourMs,
    doc: 'A call that JetStream has not stored by then is answered 503.',
  }),
  groupCommit: choice({
    env: 'GROUP_COMMIT',
    values: groupCommitModes,
    default: 'auto',
    doc: 'Whether calls that come at the same time are stored as one batch: `auto` measures on each connection which way is faster. Batches are where NATS writes to disk before it confirms (`sync_interval: always`).',
  }),
  resultTtlMs: duration({
    env: 'RESULT_TTL',
    default: hourMs,
    min: 0,
    max: 365 * 24 * hourMs,
    doc:
      'How long the state and the result of a call that has ended can be asked for. `0`: no result is given out. The ' +
      'broker keeps the record for 10 minutes at least. Set it to the same value in all gateways.',
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
    doc: 'Calls are answered 503 while what is stored is less durable. Default: whatever the broker has. See docs/durability.md.',
  }),
  natsSync: choice({
    env: 'NATS_SYNC',
    values: ['ask', 'always'],
    default: 'ask',
    doc: '`always`: your word that every NATS server has `sync_interval: always`, where servers do not tell. What they tell counts more.',
  }),
  queueMaxBytes: size({
    env: 'QUEUE_MAX_BYTES',
    min: 1,
    doc: 'Most bytes that a queue may hold; beyond, calls are answered 503 `queue_full`. A queue of the functions file may say otherwise. Default: no limit.',
  }),
  streamMaxBytes: listOf(streamLimitType, streamLimitSetting),
  callbackAllow: listOf(targetRuleType, callbackRuleSettings.allow),
  callbackDeny: listOf(targetRuleType, callbackRuleSettings.deny),
  callbackPorts: listOf(portRangeType, callbackRuleSettings.ports),
  callbackHttpsOnly: flag(callbackRuleSettings.httpsOnly),
};

export type GatewayConfig = ConfigOf<typeof gatewayConfig>;

/** What is wrong with settings that are right each for itself. */
export function contradictions({ maxBodyBytes, maxInflightBytes }: GatewayConfig): ConfigProblem[] {
  return maxBodyBytes > roomForLarge(maxInflightBytes)
    ? [
        {
          name: 'MAX_INFLIGHT_BYTES',
          problem: 'must be MAX_BODY_BYTES and a seventh more: the largest body would never find room',
        },
      ]
    : [];
}
