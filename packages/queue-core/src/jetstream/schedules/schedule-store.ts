import type { JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import { emptyBody } from '../../call/index.ts';
import type { PublishResult } from '../../publish-result.ts';
import {
  decodeSchedule,
  encodeSchedule,
  type Moment,
  momentCodec,
  nameInSubject,
  runsCodec,
  runsSubject,
  type ScheduleContent,
  type ScheduleEntry,
  type ScheduleRun,
  scheduleSubject,
  scheduleSubjects,
  withRun,
} from '../../schedules/index.ts';
import { asQueueError } from '../connecting/index.ts';
import { type QueueTopology, scheduleStream } from '../layout/index.ts';
import { expectLast, lastMessage, MessageHeaders, retryWhileUndecided, setSchedule } from '../messages/index.ts';
import { AtomicPublisher, type Outgoing, type Publisher } from '../publish/index.ts';

/** A schedule as it is stored. */
export interface StoredSchedule {
  readonly name: string;
  readonly content: ScheduleContent;
  /** Grows with every change of the schedule, also when it is removed. */
  readonly revision: number;
}

/** The next moment of a schedule, and when the broker hands it to a worker. Unix times in milliseconds. */
export interface NextMoment {
  readonly moment: Moment;
  readonly dueAt: number;
}

/** The calls of a schedule, newest first, and the sequence of their record; 0 for none. */
export interface StoredRuns {
  readonly runs: readonly ScheduleRun[];
  readonly sequence: number;
}

/** What follows a moment whose time has come. */
export interface MomentStep {
  readonly name: string;
  /** Nothing of the schedule may be newer: see `ScheduleStore.basisOf`. */
  readonly basis: number;
  /** Undefined if no moment follows. */
  readonly next: NextMoment | undefined;
  /** The call for the moment, and the calls before it; undefined for none. */
  readonly run?: { readonly added: ScheduleRun; readonly before: StoredRuns } | undefined;
}

/** What a worker has to know to deal with a moment. */
export type MomentBasis =
  | { readonly kind: 'current'; readonly entry: ScheduleEntry; readonly basis: number }
  /** It has been dealt with, or its schedule is gone, paused or has other moments now. */
  | { readonly kind: 'obsolete' };

/** How long a removed schedule is known to have been one, in seconds: so that late changes of it are noticed. */
const removedSeconds = 24 * 60 * 60;
const nothingStored: PublishResult = { kind: 'stored', sequence: 0, duplicate: false };
/** Schedules of a part of the list. */
const partSize = 256;
const partBytes = 8 * 1024 * 1024;

/**
 * Stores and reads schedules, their next moments and the calls that they have made. All of it is in one stream, so that
 * a schedule and its first moment are stored in one atomic batch, and a moment is replaced by the next one only if
 * nothing of the schedule has changed. Methods that publish never throw.
 */
export class ScheduleStore {
  readonly #publisher: Pick<Publisher, 'publish'>;
  readonly #topology: Pick<QueueTopology, 'manager'>;
  readonly #atomic: AtomicPublisher;

  constructor(publisher: Pick<Publisher, 'publish'>, topology: Pick<QueueTopology, 'manager'>) {
    this.#publisher = publisher;
    this.#topology = topology;
    this.#atomic = new AtomicPublisher(publisher);
  }

  /** A schedule, as the stream's leader has it; undefined if none had the name lately. Throws `QueueError`. */
  async read(name: string): Promise<StoredSchedule | undefined> {
    const message = await this.#last(scheduleSubject('definition', name));
    return message && toStored(message);
  }

  /** All schedules, in parts. Any replica answers, and may be a little behind. Throws `QueueError`. */
  async *list(): AsyncGenerator<StoredSchedule[], void, void> {
    for (let from = 1; ; ) {
      const part = await this.#readPart(from);
      const last = part.at(-1);
      if (last === undefined) {
        return;
      }
      yield part;
      from = last.revision + 1;
    }
  }

  /**
   * Stores a schedule. `conflict`: another change came first.
   * @param revision of the one that this one replaces; 0 for none
   * @param first the first moment of a new series; undefined if the moments go on, or none follows
   */
  put(entry: ScheduleEntry, revision: number, first: NextMoment | undefined): Promise<PublishResult> {
    const definition = toDefinition(entry.name, entry, revision);
    const messages = first === undefined ? [definition] : [definition, toMomentMessage(first)];
    return this.#publish(messages);
  }

  /** Removes a schedule with its moments. `conflict`: another change came first. Throws `QueueError`. */
  async remove(name: string, revision: number): Promise<PublishResult> {
    const result = await this.#publish([toDefinition(name, 'removed', revision)]);
    if (result.kind === 'stored') {
      // What is newer belongs to a new schedule of the name.
      await this.#purge(scheduleSubject('*', name), result.sequence);
      await this.#purge(runsSubject(name), result.sequence);
    }
    return result;
  }

  /**
   * Reads what decides about a moment that is due. The order matters: what comes after the schedule was read is newer
   * than the basis, and keeps the next moment from being stored. Throws `QueueError`.
   * @param sequence of the message of the moment
   */
  async basisOf(moment: Moment, sequence: number): Promise<MomentBasis> {
    for (;;) {
      const schedule = await this.read(moment.name);
      const entry = schedule?.content;
      if (schedule === undefined || typeof entry !== 'object' || entry.paused || entry.series !== moment.series) {
        return { kind: 'obsolete' };
      }
      const basis = Math.max(schedule.revision, sequence);
      const newest = await this.#last(scheduleSubject('*', moment.name));
      const isChanged = newest?.subject === scheduleSubject('definition', moment.name) && newest.seq > basis;
      if (isChanged) {
        continue;
      }
      const isPassed = newest?.seq !== basis || (basis > sequence && (await this.#isPassed(moment.name, sequence)));
      return isPassed ? { kind: 'obsolete' } : { kind: 'current', entry, basis };
    }
  }

  /** `conflict`: the schedule has changed, or another worker has dealt with the moment. */
  async follow({ name, basis, next, run }: MomentStep): Promise<PublishResult> {
    const messages: Outgoing[] = [];
    if (run !== undefined) {
      messages.push(toRunsMessage(name, withRun(run.before.runs, run.added), run.before.sequence));
    }
    if (next !== undefined) {
      const later = toMomentMessage(next);
      expectLast(later.headers, scheduleSubject('*', name), basis);
      messages.push(later);
    }
    return messages.length > 0 ? this.#publish(messages) : nothingStored;
  }

  /** The calls that a schedule has made lately. Throws `QueueError`. */
  async readRuns(name: string): Promise<StoredRuns> {
    const message = await this.#last(runsSubject(name));
    const record = message && runsCodec.decode(message.header.get(runsCodec.header));
    return { runs: record?.runs ?? [], sequence: message?.seq ?? 0 };
  }

  /** Adds a call that was made besides the moments. Throws `QueueError`. */
  async addRun(name: string, added: ScheduleRun): Promise<PublishResult> {
    for (;;) {
      const { runs, sequence } = await this.readRuns(name);
      const result = await this.#publish([toRunsMessage(name, withRun(runs, added), sequence)]);
      if (result.kind === 'stored' || result.reason !== 'conflict') {
        return result;
      }
    }
  }

  /** The schedules by name, and those of them that have a moment. Throws `QueueError`. */
  async names(): Promise<{ readonly all: ReadonlySet<string>; readonly withMoment: ReadonlySet<string> }> {
    try {
      const filter = 'schedules.*.*';
      const { state } = await this.#topology.manager.streams.info(scheduleStream, { subjects_filter: filter });
      const subjects = Object.keys(state.subjects ?? {});
      const isDefinition = (subject: string): boolean => subject.startsWith('schedules.definition.');
      return {
        all: new Set(subjects.filter(isDefinition).map(nameInSubject)),
        withMoment: new Set(subjects.filter((subject) => !isDefinition(subject)).map(nameInSubject)),
      };
    } catch (error) {
      throw asQueueError(error, 'the schedules cannot be counted');
    }
  }

  /** Whether there is a newer moment. One that moves from `later` to `due` in between is found at one of them. */
  async #isPassed(name: string, sequence: number): Promise<boolean> {
    const later = await this.#last(scheduleSubject('later', name));
    const due = await this.#last(scheduleSubject('due', name));
    return (later?.seq ?? 0) > sequence || due?.seq !== sequence;
  }

  #last(subject: string): Promise<StoredMsg | undefined> {
    return lastMessage(this.#topology.manager, scheduleStream, subject);
  }

  #publish(messages: readonly Outgoing[]): Promise<PublishResult> {
    const [first] = messages;
    const isOne = messages.length === 1 && first !== undefined;
    return retryWhileUndecided(() =>
      isOne ? this.#publisher.publish(first) : this.#atomic.publish(scheduleStream, messages),
    );
  }

  async #purge(filter: string, before: number): Promise<void> {
    try {
      await this.#topology.manager.streams.purge(scheduleStream, { filter, seq: before });
    } catch (error) {
      throw asQueueError(error, 'the moments of a schedule cannot be removed');
    }
  }

  async #readPart(from: number): Promise<StoredSchedule[]> {
    const part: StoredSchedule[] = [];
    const query = { seq: from, batch: partSize, max_bytes: partBytes, next_by_subj: scheduleSubjects.definitions };
    try {
      for await (const message of await this.#manager.direct.getBatch(scheduleStream, query)) {
        part.push(toStored(message));
      }
    } catch (error) {
      if (!isNotFound(error)) {
        throw asQueueError(error, 'the schedules cannot be read');
      }
    }
    return part;
  }

  get #manager(): JetStreamManager {
    return this.#topology.manager;
  }
}

function toStored({ subject, data, seq }: StoredMsg): StoredSchedule {
  return { name: nameInSubject(subject), content: decodeSchedule(data), revision: seq };
}

function toDefinition(name: string, content: ScheduleEntry | 'removed', revision: number): Outgoing {
  const subject = scheduleSubject('definition', name);
  const headers = new MessageHeaders();
  expectLast(headers, subject, revision);
  if (content === 'removed') {
    headers.set('Nats-TTL', `${removedSeconds}s`);
  }
  return { subject, headers, body: encodeSchedule(content) };
}

function toMomentMessage({ moment, dueAt }: NextMoment): Outgoing {
  const headers = new MessageHeaders();
  headers.set(momentCodec.header, momentCodec.encode(moment));
  setSchedule(headers, scheduleSubject('due', moment.name), dueAt);
  return { subject: scheduleSubject('later', moment.name), headers, body: emptyBody };
}

function toRunsMessage(name: string, runs: readonly ScheduleRun[], after: number): Outgoing {
  const headers = new MessageHeaders();
  headers.set(runsCodec.header, runsCodec.encode({ v: 1, runs: [...runs] }));
  expectLast(headers, runsSubject(name), after);
  return { subject: runsSubject(name), headers, body: emptyBody };
}

/** The broker's answer instead of an empty part. */
function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 404;
}
