import type { EventOf } from './event.ts';

/** The broker's records of a call. */
export type CallRecord = EventOf<'ended' | 'missed'>;

/** The facts that tell whether a record belongs to a call. */
export interface CallClues {
  readonly tenant: string;
  readonly callIds: ReadonlySet<string>;
  /**
   * When the call was accepted. More than one time if one request became two calls; empty if no event tells the time.
   */
  readonly startTimes: ReadonlySet<string>;
}

/** The records of all calls. Each record is handed out once. */
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

  /**
   * The records of one call. An id alone is not proof: another tenant may use the same id, or this tenant may use it
   * twice.
   */
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

  /** The records that belong to no call. */
  left(): CallRecord[] {
    return [...this.#byId.values()].flat();
  }
}
