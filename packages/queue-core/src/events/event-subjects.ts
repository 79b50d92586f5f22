import { Type } from 'typebox';
import { createRecordCodec } from '../records/index.ts';

/** The subjects of events, over core NATS: nothing of them is stored. */
export const eventSubjects = {
  /** A gateway has listeners. Every process hears it. */
  wanted: 'asyncfn.events.wanted',
  /** A process has connected. Gateways with listeners say so again. */
  hello: 'asyncfn.events.hello',
  /** Bundles of events, from every process to the gateways with listeners. */
  happened: 'asyncfn.events.happened',
} as const;

/** A gateway has listeners, for a while: it says so again before the lease is over. */
const EventsWanted = Type.Object({
  v: Type.Literal(1),
  /** How long this holds, in milliseconds. */
  leaseMs: Type.Integer({ minimum: 1, maximum: 60_000 }),
  /** Most events that one process may put into a bundle. */
  most: Type.Integer({ minimum: 1, maximum: 10_000 }),
});

export const eventsWantedCodec = createRecordCodec('Asyncfn-Events-Wanted', EventsWanted);
