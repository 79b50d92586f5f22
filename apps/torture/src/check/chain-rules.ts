import type { HistoryEvent, Story } from '../history/index.ts';

/** The rules for every chain. Each returns what is wrong, in words, or undefined. */
export const chainRules = {
  'each step once': ({ events }: Story) => {
    const stepped = events.filter(isStep);
    const steps = new Set(stepped.map(({ step }) => step)).size;
    const calls = new Set(stepped.map(({ stepId }) => stepId)).size;
    return calls > steps ? `${steps} steps of its chain became ${calls} calls` : undefined;
  },

  'each step has one end': ({ sent, stepEnds }: Story) => {
    const ids = new Set(stepEnds.map(({ callId }) => callId));
    const isMore = stepEnds.length > ids.size || ids.size > (sent.plan.chain ?? 0);
    return (sent.plan.chain ?? 0) > 0 && isMore ? `the steps of its chain have ${stepEnds.length} ends` : undefined;
  },

  'a chain goes on': ({ sent, ends, stepEnds }: Story) => {
    const { chain = 0 } = sent.plan;
    const goesOn = ends[0]?.status === 'succeeded' && stepEnds.every(({ status }) => status === 'succeeded');
    return goesOn && stepEnds.length < chain
      ? `of ${chain} steps of its chain, ${stepEnds.length} have an end`
      : undefined;
  },

  'the end of a chain is told, and the same each time': ({ sent, ends, events }: Story) => {
    const told = events.filter(isTold);
    if (new Set(told.map(({ webhookId, content }) => `${webhookId} ${content}`)).size > 1) {
      return 'two callbacks of its chain tell different stories';
    }
    const isOwed = (sent.plan.chain ?? 0) > 0 && ends.length > 0 && ends[0]?.status !== 'cancelled';
    return isOwed && !told.some(({ status }) => status < 300) ? 'no callback of its chain was delivered' : undefined;
  },
} as const;

export type ChainRule = keyof typeof chainRules;

function isStep(event: HistoryEvent) {
  return event.kind === 'stepped';
}

function isTold(event: HistoryEvent) {
  return event.kind === 'chain told';
}
