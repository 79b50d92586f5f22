import { JetStreamApiError, type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { QueueError } from '../../errors.ts';
import { asQueueError } from '../connecting/index.ts';

/** Message schedules and atomic batches came with 2.12. */
const minServerVersion = '2.12.0';

/** The API level that servers of that version report. */
const minApiLevel = 2;

const oneMiB = 1024 * 1024;

/**
 * A manager for a server that can do what we need. Throws `QueueError`: `server_too_old`, `jetstream_disabled`, or
 * `broker` if asking again may help.
 * @param domain the JetStream domain to speak to; undefined: that of the server
 */
export async function openJetStream(connection: NatsConnection, domain?: string): Promise<JetStreamManager> {
  if (domain !== undefined) {
    return await openDomain(connection, domain);
  }
  const version = connection.info?.version ?? 'unknown';
  if (!isAtLeast(version, minServerVersion)) {
    throw tooOld(`nats-server ${version} at ${connection.getServer()}`);
  }
  const manager = await jetstreamManager(connection, { checkAPI: false });
  try {
    await manager.getAccountInfo();
  } catch (cause) {
    throw asRefusal(cause, connection);
  }
  return manager;
}

/** The domain may have other servers than the one that we are connected to, with other abilities. */
async function openDomain(connection: NatsConnection, domain: string): Promise<JetStreamManager> {
  const manager = await jetstreamManager(connection, { checkAPI: false, domain });
  const info = await manager.getAccountInfo().catch((cause: unknown) => {
    throw asDomainRefusal(cause, connection, domain);
  });
  const { level = 0 } = info.api as { readonly level?: number };
  if (level < minApiLevel) {
    throw tooOld(`the nats-server of JetStream domain ${domain}`);
  }
  return manager;
}

function tooOld(server: string): QueueError {
  return new QueueError('server_too_old', `${server} is too old: asyncfn needs ${minServerVersion} or later`);
}

/** If no server of the domain answers, the connection between servers may be down, and comes back. */
function asDomainRefusal(cause: unknown, connection: NatsConnection, domain: string): QueueError {
  if (!isNotEnabled(cause)) {
    return asQueueError(cause, `JetStream domain ${domain} does not answer`);
  }
  return cause.cause instanceof JetStreamApiError
    ? new QueueError('jetstream_disabled', `the account has no JetStream in domain ${domain}`, { cause })
    : new QueueError(
        'broker',
        `no JetStream answers for domain ${domain} at ${connection.getServer()}: check NATS_DOMAIN, and whether that ` +
          'server is connected to the domain',
        { cause },
      );
}

/** The largest body that fits the server's `max_payload` together with our header. */
export function maxBodyBytes(connection: NatsConnection): number {
  const maxPayload = connection.info?.max_payload ?? oneMiB;
  const headerReserve = 64 * 1024; // JetStream takes no larger header
  return Math.max(0, maxPayload - headerReserve);
}

function asRefusal(cause: unknown, connection: NatsConnection): QueueError {
  if (!isDisabled(cause, connection)) {
    return asQueueError(cause, 'JetStream does not answer');
  }
  return new QueueError(
    'jetstream_disabled',
    `nats-server at ${connection.getServer()} has no JetStream for this account: start it with -js or a jetstream block`,
    { cause },
  );
}

/**
 * Whether JetStream is off, for our account or altogether. No responders means so only if the server does not claim to
 * have JetStream: one that has it may still be electing a leader.
 */
function isDisabled(error: unknown, connection: NatsConnection): boolean {
  return isNotEnabled(error) && (error.cause instanceof JetStreamApiError || connection.info?.jetstream !== true);
}

function isNotEnabled(error: unknown): error is Error {
  return error instanceof Error && error.name === 'JetStreamNotEnabled';
}

function isAtLeast(version: string, minimum: string): boolean {
  const floor = numbers(minimum);
  const difference = numbers(version)
    .map((part, index) => part - (floor[index] ?? 0))
    .find((part) => part !== 0);
  return (difference ?? 0) >= 0;
}

/** Leading numbers of a version: `2.14.0-preview.1` counts as 2.14.0. */
function numbers(version: string): number[] {
  return (version.match(/^v?(\d+)\.(\d+)\.(\d+)/)?.slice(1) ?? ['0']).map(Number);
}
