import type { EventOf } from './event.ts';

/** What the broker has on record of a call. */
export type CallRecord = EventOf<'ended' | 'missed'>;

/** What is known of a call, to tell whether a record is of it. */
export interface CallClues {
  readonly tenant: string;
  readonly callIds: ReadonlySet<string>;
  /** When it was accepted: more than one for two calls that became of one request. Empty where nothing has told that. */
  readonly startTimes: ReadonlySet<string>;
}

/** The records of all calls. Each is given out once. */
export class CallRecords {
  readonly #byId = new Map<string, CallRecord[]>();

  add(record: CallRecord): void {
    const list = this.#byId.get(record.callId);
    if (list === undefined) {
      this.#byId.set(record.callId, [record]);
    } else {
      list.push(record);
    }
  }

  /** Those of a call. An id alone does not make a record its own: another tenant may have the same, or this one twice. */
  take({ tenant, callIds, startTimes }: CallClues): CallRecord[] {
    const taken: CallRecord[] = [];
    for (const callId of callIds) {
      const rest: CallRecord[] = [];
      for (const record of this.#byId.get(callId) ?? []) {
        const { submitter = tenant, startTime } = record;
        const isOfTime = startTime === undefined || startTimes.size === 0 || startTimes.has(startTime);
        (submitter === tenant && isOfTime ? taken : rest).push(record);
      }
      this.#byId.set(callId, rest);
    }
    return taken;
  }

  /** Those of no call. */
  left(): CallRecord[] {
    return [...this.#byId.values()].flat();
  }
}
