import { type Static, Type } from 'typebox';
import { isCallId } from './call.ts';
import { createRecordCodec } from './record-codec.ts';

/** What is needed to find an accepted call again. */
const Receipt = Type.Object({
  callId: Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$' }),
  queue: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' }),
  function: Type.String(),
});

export type Receipt = Static<typeof Receipt>;

/** Accepted calls that are followed until each of them has ended. */
const ReceiptBatch = Type.Object({
  v: Type.Literal(1),
  receipts: Type.Array(Receipt),
  /** Not to be looked at earlier: Unix time in milliseconds. */
  dueAt: Type.Number(),
  /** Time from the last look, or from the acceptance, to this one, in milliseconds. */
  waitMs: Type.Number(),
});

export type ReceiptBatch = Static<typeof ReceiptBatch>;

/** Where it is written down that an accepted call is nowhere; with `*` for any. */
export function missingReceiptSubject(callId: string): string {
  if (callId !== '*' && !isCallId(callId)) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}');
  }
  return `receipts.missing.${callId}`;
}

export const receiptBatchCodec = createRecordCodec('Asyncfn-Receipts', ReceiptBatch);
export const missingReceiptCodec = createRecordCodec('Asyncfn-Missing', Receipt);
