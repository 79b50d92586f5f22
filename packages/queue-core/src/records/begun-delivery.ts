import { type Static, Type } from 'typebox';
import { AttemptRecord } from '../attempts/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** The note of a worker that begins an attempt with a delivery that is not the first of its message. */
const BegunDelivery = Type.Object({
  v: Type.Literal(1),
  /** Of the message in its stream. */
  sequence: Type.Integer({ minimum: 1 }),
  worker: Type.String(),
  /** Unix time in milliseconds. */
  startedAt: Type.Number(),
  /** The attempts that earlier deliveries of this message have begun and not ended. */
  lost: Type.Array(AttemptRecord),
});

export type BegunDelivery = Static<typeof BegunDelivery>;

export const begunDeliveryCodec = createRecordCodec('Asyncfn-Begun', BegunDelivery);
