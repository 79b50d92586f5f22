// Large responses: stored while they are read, so that none is ever in memory as a whole.

export { buildReplies } from './build-replies.ts';
export type { ReplyStore } from './reply-store.ts';
