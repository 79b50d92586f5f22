// Lists, reads and replays dead letters.

export { type StoredDeadLetter, toStoredDeadLetter } from './dead-letter-message.ts';
export type { BrokerTrouble, ReplayRefusal, ReplayResult } from './dead-letter-replayer.ts';
export type { DeadLetterEntry, DeadLetterPage } from './dead-letter-scan.ts';
export { DeadLetterStore } from './dead-letter-store.ts';
