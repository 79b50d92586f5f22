import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { openSmallDisk, type SmallDisk, startFleet } from '@asyncfn/stack';
import { createRandom } from '@asyncfn/testkit';
import { BrokerLook, describeLeft, type Left } from './broker/index.ts';
import { checkHistory, type Impact, measureImpact, type RuleLimits, type Verdict } from './check/index.ts';
import { type Fault, Naps, runFaults } from './faults/index.ts';
import { type FaultSpan, History, toStories } from './history/index.ts';
import { Receivers, Sender, startCallee } from './load/index.ts';
import { createAccess, endsKeptMs, fleetOptions, type RigOptions } from './rig/index.ts';

export interface TortureOptions
  extends Omit<RigOptions, 'functionUrl' | 'tokensFile' | 'dnsServers' | 'clockFile' | 'storeDirs' | 'onLine'> {
  readonly seed: number;
  readonly faults: readonly Fault[];
  /** Longest pause between two faults, in milliseconds. */
  readonly gapMs: number;
  /** Calls a second. */
  readonly rate: number;
  /**
   * Where the run writes the history, `history.jsonl`, and the logs of the processes and of nats-server without
   * lines of single calls, `processes.log`.
   */
  readonly folder: string;
  /**
   * How long, after the last fault, no call may end although calls are left, before the run gives up, in milliseconds.
   * Default 120,000.
   */
  readonly settleMs?: number;
  /** Default: those of `checkHistory`, and wider ones with several nodes. */
  readonly limits?: Partial<RuleLimits>;
  readonly log: (line: string) => void;
}

/**
 * The faults of a cluster outlast themselves: connections break seconds later, and a leader stamps an end some time before it has a
 * majority for it.
 */
const clusterLimits: Partial<RuleLimits> = { slackMs: 5_000, handoverMs: 30_000 };

export interface TortureResult {
  readonly verdict: Verdict;
  readonly faults: readonly FaultSpan[];
  /** What callers noticed, by the names of the faults. */
  readonly impacts: readonly Impact[];
}

/** Ends are forgotten after a minute. */
const usualHaste = 10;
/** Within this time a worker forgets an end that is old, also a worker that has just started, in milliseconds. */
const forgettingMs = 6_000;

/** Drives load, causes faults, lets the system come to rest, and judges the history. */
export async function torture(options: TortureOptions): Promise<TortureResult> {
  const { seed, durationMs, folder, nodes, log, haste = usualHaste } = options;
  await mkdir(folder, { recursive: true });
  const history = new History(join(folder, 'history.jsonl'));
  await using callee = await startCallee(history);
  await using receivers = await Receivers.start(history);
  await using disk = await openDisk(options);
  const clockFile = join(folder, '{seat}.clock');
  const lines = createWriteStream(join(folder, 'processes.log'));
  const onLine = (line: string, seat: string): void => void lines.write(`${seat} ${line}\n`);
  const access = await createAccess(folder);
  const { tokensFile } = access;
  const rig = { ...options, haste, tokensFile, functionUrl: callee.url, clockFile, storeDirs: [disk?.path], onLine };
  await using fleet = await startFleet(fleetOptions({ ...rig, dnsServers: receivers.dnsServers }));
  await using look = await BrokerLook.open(fleet.natsUrls);
  look.followEnds();
  const naps = new Naps({ fleet, access, napMs: endsKeptMs(haste) + forgettingMs, log });
  const random = createRandom(seed);
  await using sender = new Sender({
    history,
    gateways: fleet.gateways,
    access,
    receivers,
    hostile: true,
    ...(options.flowShare !== undefined && { flowShare: options.flowShare }),
    idsAgainMs: endsKeptMs(haste) + forgettingMs,
    random: createRandom(seed + 1),
    rate: options.rate,
    clients: 200,
  });
  log(`${nodes} nats-server(s), 2 gateways and 2 workers are ready; seed ${seed}, history in ${folder}`);
  const over = new AbortController();
  const sending = sender.run(over.signal);
  const progress = setInterval(() => log(`${sender.sent} calls sent, ${sender.accepted} accepted`), 15_000);
  try {
    // A run that fails does not wait for its end.
    const timeUp = delay(durationMs, undefined, { signal: over.signal }).then(
      () => over.abort(),
      () => {},
    );
    const faults = options.faults.filter(({ needsDisk = false }) => !needsDisk || disk !== undefined);
    const context = { fleet, look, naps, random, disk, clockFile: (seat: string) => clockFile.replace('{seat}', seat) };
    await runFaults({ ...options, ...context, faults, history }, over.signal);
    await timeUp;
  } finally {
    over.abort();
    clearInterval(progress);
    await sending;
  }
  log(`load is over: ${sender.sent} calls sent, ${sender.accepted} accepted; everything comes to rest`);
  receivers.mend();
  await naps.end();
  await settle(look, history, options);
  await history.close();
  const { faults } = toStories(history.events);
  const verdict = checkHistory(history.events, {
    endsKeptMs: endsKeptMs(haste),
    pace: options.pace,
    ...(options.nodes > 1 && clusterLimits),
    ...options.limits,
  });
  return { verdict, faults, impacts: measureImpact(history.events) };
}

/** Undefined if no requested fault needs a disk, or the machine has none to give. */
async function openDisk({ faults, log }: TortureOptions): Promise<SmallDisk | undefined> {
  if (!faults.some(({ needsDisk }) => needsDisk)) {
    return undefined;
  }
  const opened = await openSmallDisk();
  if (opened.kind === 'impossible') {
    log(`no disk is filled: ${opened.reason}`);
    return undefined;
  }
  return opened.disk;
}

/** The open questions when the queues are empty, in words. */
async function openQuestions(look: BrokerLook): Promise<string[]> {
  const answers = [
    { isAnswered: await look.hasReadEnds().catch(() => false), question: 'some ends have not been read' },
    { isAnswered: await look.isAudited().catch(() => false), question: 'workers have not followed all receipts' },
  ];
  return answers.flatMap(({ isAnswered, question }) => (isAnswered ? [] : [question]));
}

/** Waits until the queues are empty, as long as their number of messages falls, and adds the records to the history. */
async function settle(look: BrokerLook, history: History, { settleMs = 120_000, log }: TortureOptions): Promise<void> {
  const startedAt = performance.now();
  let left: Left = { count: Number.POSITIVE_INFINITY, messages: undefined };
  let progressAt = startedAt;
  while (performance.now() - progressAt < settleMs) {
    // Servers may still be electing a leader.
    const now = await look.left().catch(() => undefined);
    if (now !== undefined && now.count < left.count) {
      left = now;
      progressAt = performance.now();
    }
    if (now?.count === 0 && (await openQuestions(look)).length === 0) {
      break;
    }
    await delay(250);
  }
  for (const question of await openQuestions(look)) {
    log(question);
  }
  const places = (left.messages ?? []).map(describeLeft);
  if (left.count > 0) {
    log(`${left.count} messages are left, and their number has not fallen for ${settleMs} ms`);
    const streams = new Set((left.messages ?? []).map(({ stream }) => stream));
    log([...places, ...(await Promise.all([...streams].map((stream) => look.describeConsumers(stream))))].join('\n'));
  }
  log(`at rest after ${Math.round(performance.now() - startedAt)} ms`);
  for (const { at, ...end } of look.ends) {
    history.record({ kind: 'ended', ...end }, at);
  }
  for (const { at, ...miss } of await look.misses()) {
    history.record({ kind: 'missed', ...miss }, at);
  }
  history.record({ kind: 'quiet', queued: left.count, left: places });
}
