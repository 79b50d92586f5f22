// Receipts of accepted calls, which reveal losses.

export { ReceiptMemory } from './receipt-memory.ts';
export { type ReceiptDelivery, ReceiptSource } from './receipt-source.ts';
export { type CallWhereabouts, ReceiptStore } from './receipt-store.ts';
