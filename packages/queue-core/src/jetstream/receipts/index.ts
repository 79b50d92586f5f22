// Receipts of accepted calls, by which losses are noticed.

export { ReceiptMemory } from './receipt-memory.ts';
export { type ReceiptDelivery, ReceiptSource } from './receipt-source.ts';
export { type CallWhereabouts, ReceiptStore } from './receipt-store.ts';
