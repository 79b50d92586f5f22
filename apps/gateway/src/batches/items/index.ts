// Reads the items of a batch: one element of a document or one line each. Pure.

export { type LineOrTooLarge, splitLines } from './lines.ts';
export { type BatchItemRequest, parseItem } from './parse-item.ts';
export { splitDocument } from './split-document.ts';
