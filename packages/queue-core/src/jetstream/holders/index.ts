// Asks workers about the calls that they run, and answers for them.

export { answerForHeldCalls, type HeldCallDesk } from './held-call-desk.ts';
export { HolderLine } from './holder-line.ts';
export type { Silence, StoredAttempt } from './lease-book.ts';
export { MoveNotices } from './move-notices.ts';
