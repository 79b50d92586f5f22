import type { NatsServer } from '@asyncfn/nats-server';
import type { Node } from '@asyncfn/stack';
import { eventually } from '@asyncfn/testkit';

/** A nats-server whose disk is full may not answer at all. */
const answerMs = 5_000;
type NamedServer = Pick<Node, 'name' | 'server'>;
const limits = { timeoutMs: 60_000, intervalMs: 100 };

/** Whether JetStream is on, and says that it has caught up with the others. */
export async function isHealthy({ monitorUrl }: NatsServer): Promise<boolean> {
  const answer = fetch(`${monitorUrl}/healthz`, { signal: AbortSignal.timeout(answerMs) });
  return await answer.then(
    ({ ok }) => ok,
    () => false,
  );
}

/** An operator who restarts a cluster waits like this before the next server. */
export async function untilHealthy(server: NatsServer): Promise<void> {
  await eventually(() => isHealthy(server), { ...limits, message: 'a nats-server does not become healthy' });
}

/**
 * Resolves when every copy of every stream and consumer knows its leader, and has come as far as the leader had when
 * this began. Rejects after a minute.
 *
 * `/healthz` says `ok` earlier: a server that has just started has not heard from the leaders of its streams yet, and
 * takes itself for up to date (seen with 2.15.1).
 */
export async function untilCaughtUp(nodes: readonly NamedServer[]): Promise<void> {
  const leaders = await eventually(() => findLeaders(nodes), { ...limits, message: 'a stream has no leader' });
  await eventually(
    async () => {
      const copies = await readCopies(nodes);
      return leaders.every((leader) => isCaughtUp(leader, copies));
    },
    { ...limits, message: 'a copy of a stream does not catch up with its leader' },
  );
}

/** A server's copy of a stream or a consumer. */
interface Copy {
  readonly server: string;
  /** Which stream or consumer. */
  readonly name: string;
  /** Undefined while the server does not know it. A server that is alone leads all its streams. */
  readonly leader: string | undefined;
  /** How many other servers have a copy. */
  readonly others: number;
  /** The last message that it holds, or that it has delivered. */
  readonly sequence: number;
}

/** Returns undefined if a stream or a consumer has none at the moment. */
async function findLeaders(nodes: readonly NamedServer[]): Promise<Copy[] | undefined> {
  const copies = await readCopies(nodes);
  const leaders = copies.filter(({ server, leader }) => leader === server);
  return leaders.length === new Set(copies.map(({ name }) => name)).size ? leaders : undefined;
}

/** A consumer that is gone meanwhile has nothing to catch up. */
function isCaughtUp(earlier: Copy, copies: readonly Copy[]): boolean {
  const same = copies.filter(({ name }) => name === earlier.name);
  const upToDate = same.filter(({ leader, sequence }) => leader !== undefined && sequence >= earlier.sequence);
  return same.length === 0 || upToDate.length > earlier.others;
}

/** Rejects if a server does not answer. */
async function readCopies(nodes: readonly NamedServer[]): Promise<Copy[]> {
  return (await Promise.all(nodes.map(readCopiesOf))).flat();
}

/** What `/jsz` says of the streams and consumers of a server, as far as it is used. */
interface JetStreamStatus {
  readonly account_details?: readonly { readonly stream_detail?: readonly StreamDetail[] }[];
}

interface Group {
  readonly name: string;
  /** Absent without a cluster. */
  readonly cluster?: { readonly leader?: string; readonly replicas?: readonly unknown[] };
}

interface StreamDetail extends Group {
  readonly state: { readonly last_seq: number };
  readonly consumer_detail?: readonly (Group & { readonly delivered: { readonly consumer_seq: number } })[];
}

async function readCopiesOf({ name: server, server: { monitorUrl } }: NamedServer): Promise<Copy[]> {
  const timeout = AbortSignal.timeout(answerMs);
  const answer = await fetch(`${monitorUrl}/jsz?streams=true&consumers=true`, { signal: timeout });
  const { account_details: accounts = [] } = (await answer.json()) as JetStreamStatus;
  const toCopy = ({ cluster }: Group, name: string, sequence: number): Copy => ({
    server,
    name,
    leader: cluster === undefined ? server : cluster.leader,
    others: cluster?.replicas?.length ?? 0,
    sequence,
  });
  const streams = accounts.flatMap(({ stream_detail: details = [] }) => details);
  return streams.flatMap((stream) => [
    toCopy(stream, stream.name, stream.state.last_seq),
    ...(stream.consumer_detail ?? []).map((consumer) =>
      toCopy(consumer, `${stream.name} > ${consumer.name}`, consumer.delivered.consumer_seq),
    ),
  ]);
}
