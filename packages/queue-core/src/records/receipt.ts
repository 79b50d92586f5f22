import { type Static, Type } from 'typebox';
import { type CallIdentity, identityFields, identityTokens } from '../call/index.ts';
import { createRecordCodec } from './record-codec.ts';

/** What is needed to find an accepted call again. */
const Receipt = Type.Object({
  ...identityFields,
  queue: Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' }),
  function: Type.String(),
});

export type Receipt = Static<typeof Receipt>;

/** Accepted calls that are followed until each of them has ended. */
const ReceiptBatch = Type.Object({
  v: Type.Literal(1),
  receipts: Type.Array(Receipt),
  /** Workers look for the calls from then on: Unix time in milliseconds. */
  dueAt: Type.Number(),
  /** Time from the last look, or from the acceptance, to this one, in milliseconds. */
  waitMs: Type.Number(),
});

export type ReceiptBatch = Static<typeof ReceiptBatch>;

/** The subject of the record that an accepted call is missing. */
export function missingReceiptSubject(call: CallIdentity): string {
  return `receipts.missing.${identityTokens(call)}`;
}

/** The subjects of all of them. */
export const missingReceiptFilter = 'receipts.missing.*.*.*';

export const receiptBatchCodec = createRecordCodec('Asyncfn-Receipts', ReceiptBatch);
export const missingReceiptCodec = createRecordCodec('Asyncfn-Missing', Receipt);
