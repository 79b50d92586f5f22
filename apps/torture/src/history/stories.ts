import { type CallClues, type CallRecord, CallRecords } from './call-records.ts';
import type { EventOf, HistoryEvent } from './event.ts';

export interface Invocation {
  readonly invocation: number;
  readonly retry: number;
  readonly worker: string;
  readonly from: number;
  /** Infinite until it has returned. */
  readonly to: number;
  /** Undefined if the client had gone. */
  readonly status: number | undefined;
}

/** Whether a call is known to have been stored. */
type Acceptance =
  /** The answer was 202. */
  | 'accepted'
  /** No answer came, or the answer leaves it open. */
  | 'unknown'
  /** The answer says that the call was not stored. */
  | 'refused';

/** Everything that happened to one call, in order of time. */
export interface Story {
  readonly request: number;
  readonly sent: EventOf<'sent'>;
  readonly acceptance: Acceptance;
  readonly callIds: ReadonlySet<string>;
  /** The requests of the same tenant with the same id. */
  readonly namesakes: readonly Story[];
  readonly invocations: readonly Invocation[];
  readonly callbacks: readonly EventOf<'called back'>[];
  readonly ends: readonly EventOf<'ended'>[];
  /** Events of the steps of its chain. */
  readonly stepEnds: readonly EventOf<'ended'>[];
  /** Calls that the workers' own audit misses. */
  readonly misses: readonly EventOf<'missed'>[];
  readonly events: readonly HistoryEvent[];
}

/** A span of time during which a fault was active. */
export interface FaultSpan {
  readonly name: string;
  readonly target: string;
  readonly from: number;
  readonly to: number;
  /** `all`, `none`, or the name of a worker. */
  readonly breaksLeasesOf: string;
  /** How far clocks are off during the fault, in milliseconds. */
  readonly jumpMs?: number | undefined;
}

export interface Stories {
  readonly stories: readonly Story[];
  readonly faults: readonly FaultSpan[];
  /** Ends of calls that no client has sent. */
  readonly strayEnds: readonly EventOf<'ended'>[];
  /** The batches that were accepted. */
  readonly batches: readonly BatchStory[];
  /** Messages left in the queues; undefined if the history does not say. */
  readonly queued: number | undefined;
  /** The same messages in words: stream, sequence and subject. */
  readonly left: readonly string[];
}

/** The facts about a batch. */
export interface BatchStory {
  /** Its requests that were accepted. */
  readonly requests: readonly number[];
  readonly told: readonly EventOf<'batch told'>[];
}

/** Answers that leave open whether the call was stored. */
const ambiguousCodes: ReadonlySet<string> = new Set(['broker_unavailable', 'broker_timeout']);

type Told = Extract<HistoryEvent, { request: number }>;

/** Sorts a history by its calls. */
export function toStories(events: Iterable<HistoryEvent>): Stories {
  const byRequest = new Map<number, Told[]>();
  const records = new CallRecords();
  const faultEvents: EventOf<'fault'>[] = [];
  const stepEnds = new Map<string, EventOf<'ended'>[]>();
  const batched: EventOf<'batched'>[] = [];
  const batchTold = new Map<number, EventOf<'batch told'>[]>();
  let queued: number | undefined;
  let left: readonly string[] = [];
  for (const event of events) {
    if ('request' in event) {
      append(byRequest, event.request, event);
    } else if (event.kind === 'batched') {
      batched.push(event);
    } else if (event.kind === 'batch told') {
      append(batchTold, event.batch, event);
    } else if (event.kind === 'ended' && event.rootId !== undefined) {
      append(stepEnds, event.rootId, event);
    } else if ('callId' in event) {
      records.add(event);
    } else if (event.kind === 'fault') {
      faultEvents.push(event);
    } else {
      ({ queued, left = [] } = event);
    }
  }
  const stories = toAll([...byRequest.values()], records, stepEnds);
  const batches = batched.map(({ batch, requests }) => ({ requests, told: batchTold.get(batch) ?? [] }));
  return { stories, faults: toSpans(faultEvents), strayEnds: records.left().filter(isStray), batches, queued, left };
}

/** Calls with a known start time come first: the records they leave belong to a call without one. */
function toAll(all: readonly (readonly Told[])[], records: CallRecords, stepEnds: StepEnds): Story[] {
  const calls = all.flatMap((told) => toCall(told) ?? []);
  const known = calls.filter(({ startTimes }) => startTimes.size > 0);
  const unknown = calls.filter(({ startTimes }) => startTimes.size === 0);
  const stories = [...known, ...unknown].map((call) => toStory(call, records.take(call), stepEnds));
  const byId = new Map<string, Story[]>();
  for (const story of stories) {
    const { plan, callId } = story.sent;
    if (callId !== undefined) {
      append(byId, `${plan.tenant} ${callId}`, story);
    }
  }
  for (const sharing of byId.values()) {
    for (const story of sharing) {
      Object.assign(story, { namesakes: sharing.filter((other) => other !== story) });
    }
  }
  return stories;
}

/** The ends of steps, by the first call of their chain. */
type StepEnds = ReadonlyMap<string, readonly EventOf<'ended'>[]>;

interface ToldCall extends CallClues {
  readonly told: readonly Told[];
  readonly sent: EventOf<'sent'>;
}

function toCall(told: readonly Told[]): ToldCall | undefined {
  const sent = told.find((event) => event.kind === 'sent');
  if (sent === undefined) {
    return undefined;
  }
  const named = told.flatMap((event) => ('callId' in event && event.callId ? [event.callId] : []));
  // If the answer of a call was lost and the call expired before it was invoked, only its callback carries its id.
  const called = told.flatMap((event) => (event.kind === 'called back' ? [event.webhookId] : []));
  const started = told.flatMap((event) => ('startTime' in event && event.startTime ? [event.startTime] : []));
  const callIds = new Set(named.length > 0 ? named : called);
  return { told, sent, tenant: sent.plan.tenant, callIds, startTimes: new Set(started) };
}

function toStory({ told, sent, callIds }: ToldCall, records: readonly CallRecord[], stepEnds: StepEnds): Story {
  const acceptance = toAcceptance(told);
  return {
    request: sent.request,
    sent,
    acceptance,
    callIds,
    namesakes: [],
    invocations: toInvocations(told),
    callbacks: told.filter((event) => event.kind === 'called back'),
    ends: records.filter(isEnd).filter((end) => acceptance === 'accepted' || !isKeptOut(end)),
    stepEnds: [...callIds].flatMap((callId) => stepEnds.get(callId) ?? []),
    misses: records.filter((event) => event.kind === 'missed'),
    events: [...told, ...records].toSorted((a, b) => a.at - b.at),
  };
}

/** An end whose call no client has sent. */
function isStray(event: CallRecord): event is EventOf<'ended'> {
  return isEnd(event) && !isKeptOut(event);
}

/** A gateway ends an item of a batch in this way if the broker has not confirmed the item, so that it never runs. */
function isKeptOut({ reason, attempts }: EventOf<'ended'>): boolean {
  return reason === 'not_accepted' && attempts === 0;
}

function isEnd(event: CallRecord): event is EventOf<'ended'> {
  return event.kind === 'ended';
}

function toAcceptance(told: readonly Told[]): Acceptance {
  // More than one for a call that was sent twice.
  const answers = told.filter((event) => event.kind === 'answered');
  if (answers.some(({ status }) => status === 202)) {
    return 'accepted';
  }
  const isOpen = told.some((event) => event.kind === 'broken') || answers.length === 0;
  return isOpen || answers.some(isAmbiguous) ? 'unknown' : 'refused';
}

function isAmbiguous({ status, code }: EventOf<'answered'>): boolean {
  return status >= 500 && (code === undefined || ambiguousCodes.has(code));
}

function toInvocations(told: readonly Told[]): Invocation[] {
  const returned = new Map(told.flatMap((event) => (event.kind === 'returned' ? [[event.invocation, event]] : [])));
  return told
    .flatMap((event) => (event.kind === 'invoked' ? [event] : []))
    .map(({ invocation, retry, worker, at }) => {
      const end = returned.get(invocation);
      return { invocation, retry, worker, from: at, to: end?.at ?? Number.POSITIVE_INFINITY, status: end?.status };
    })
    .toSorted((a, b) => a.from - b.from);
}

function toSpans(events: readonly EventOf<'fault'>[]): FaultSpan[] {
  const ends = new Map(events.filter(({ phase }) => phase === 'ends').map(({ fault, at }) => [fault, at]));
  return events
    .filter(({ phase }) => phase === 'begins')
    .map(({ fault, name, target, at, breaksLeasesOf, jumpMs }) => {
      return { name, target, from: at, to: ends.get(fault) ?? Number.POSITIVE_INFINITY, breaksLeasesOf, jumpMs };
    });
}

function append<K, V>(map: Map<K, V[]>, key: K, value: V): void {
  const list = map.get(key);
  if (list === undefined) {
    map.set(key, [value]);
  } else {
    list.push(value);
  }
}
