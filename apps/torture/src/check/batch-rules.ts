import type { BatchStory, EventOf, Story } from '../history/index.ts';
import type { RuleLimits } from './excuses.ts';

/** The content of the callback of a batch. */
interface ToldEnd {
  readonly total: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
  readonly expired: number;
  readonly endedAt: string;
}

/** The calls that a batch has accepted. */
type Calls = readonly Story[];

const statuses = ['succeeded', 'failed', 'cancelled', 'expired'] as const;

/** The rules for every batch. Each returns what is wrong, in words, or undefined. */
export const batchRules = {
  'a batch ends once': ({ told }: BatchStory) =>
    new Set(told.map(({ webhookId, content }) => `${webhookId} ${content}`)).size > 1
      ? 'two callbacks of its batch tell different ends'
      : undefined,

  'the end of a batch is told': ({ told }: BatchStory, calls: Calls) => {
    const isOver = calls.every(({ ends }) => ends.length > 0);
    return isOver && !told.some(({ status }) => status >= 200 && status < 300)
      ? 'all calls of its batch have ended, and no callback was delivered'
      : undefined;
  },

  'a batch counts each of its calls once': ({ told }: BatchStory, calls: Calls) => {
    const [first] = told;
    const end = first && toEnd(first);
    const wrong = end && statuses.find((status) => end[status] !== countOf(calls, status));
    const isWrong = wrong !== undefined || (end !== undefined && end.total !== calls.length);
    return isWrong ? `its batch of ${calls.length} calls tells ${first?.content}` : undefined;
  },

  'a batch ends after its last call': ({ told }: BatchStory, calls: Calls, { slackMs }: RuleLimits) => {
    const [first] = told;
    const last = Math.max(...calls.map(({ ends }) => ends[0]?.at ?? Number.NEGATIVE_INFINITY));
    const endedAt = first === undefined ? undefined : Date.parse(toEnd(first).endedAt);
    return endedAt !== undefined && endedAt + slackMs < last
      ? `its batch has ended ${Math.round(last - endedAt)} ms before one of its calls`
      : undefined;
  },
} as const;

export type BatchRule = keyof typeof batchRules;

function toEnd({ content }: EventOf<'batch told'>): ToldEnd {
  return JSON.parse(content) as ToldEnd;
}

/** A batch counts the first end of each call. */
function countOf(calls: Calls, status: string): number {
  return calls.filter(({ ends }) => ends[0]?.status === status).length;
}
