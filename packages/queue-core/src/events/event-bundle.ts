import { type Static, Type } from 'typebox';
import { createRecordCodec, type RecordCodec } from '../records/index.ts';
import { CallEvent } from './call-event.ts';

/** What one process has to tell of a short time. */
const EventBundleRecord = Type.Object({
  v: Type.Literal(1),
  /** The process. */
  from: Type.String(),
  /** Counts the bundles of the process; one that it skips says that an unknown number of events is lost. */
  sequence: Type.Integer({ minimum: 0 }),
  events: Type.Array(CallEvent),
  /** How many events of each function were left out; those of functions beyond a number under `..`. */
  missed: Type.Record(Type.String(), Type.Integer({ minimum: 1 })),
});

export type EventBundleRecord = Static<typeof EventBundleRecord>;

let codec: RecordCodec<EventBundleRecord> | undefined;

/** Undefined for anything that is no bundle. The check is compiled at the first use: most processes never need it. */
export function decodeEventBundle(text: string): EventBundleRecord | undefined {
  codec ??= createRecordCodec('Asyncfn-Events', EventBundleRecord);
  return codec.decode(text);
}

/** Stands for the functions that a bundle has no room to name. No function and no pattern of names is like this. */
export const otherFunctions = '..';

/** Most functions whose left-out events are counted separately. */
const maxNames = 256;

export interface BundleLimits {
  /** Most events. One function gets half of them. */
  events: number;
  /** Most bytes of them. */
  bytes: number;
}

/** Collects the events of a process until they are sent. What does not fit is counted. */
export class EventBundle {
  readonly #limits: BundleLimits;
  #texts: string[] = [];
  #bytes = 0;
  #ofFunction = new Map<string, number>();
  #missed = new Map<string, number>();

  constructor(limits: BundleLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return this.#texts.length === 0 && this.#missed.size === 0;
  }

  /** Whether there is room for one more event of the function. */
  hasRoom(name: string): boolean {
    const { events } = this.#limits;
    return this.#texts.length < events && (this.#ofFunction.get(name) ?? 0) < Math.ceil(events / 2);
  }

  /** @param toEvent is not called for an event that is left out */
  add(name: string, toEvent: () => CallEvent): void {
    if (!this.hasRoom(name)) {
      this.miss(name);
      return;
    }
    const text = JSON.stringify(toEvent());
    const bytes = Buffer.byteLength(text);
    if (this.#bytes + bytes > this.#limits.bytes) {
      this.miss(name);
      return;
    }
    this.#texts.push(text);
    this.#bytes += bytes;
    this.#ofFunction.set(name, (this.#ofFunction.get(name) ?? 0) + 1);
  }

  /** An event is left out. */
  miss(name: string): void {
    const isCounted = this.#missed.size < maxNames || this.#missed.has(name);
    const under = isCounted ? name : otherFunctions;
    this.#missed.set(under, (this.#missed.get(under) ?? 0) + 1);
  }

  /** The bundle as a message, which begins the next one. */
  take(from: string, sequence: number): string {
    const missed = JSON.stringify(Object.fromEntries(this.#missed));
    const text = `{"v":1,"from":${JSON.stringify(from)},"sequence":${sequence},"missed":${missed},"events":[${this.#texts.join(',')}]}`;
    this.clear();
    return text;
  }

  clear(): void {
    this.#texts = [];
    this.#bytes = 0;
    this.#ofFunction = new Map();
    this.#missed = new Map();
  }
}
