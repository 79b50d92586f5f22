import { type FaultSpan, type HistoryEvent, toStories } from '../history/index.ts';

/** What callers noticed of all faults of one name. */
export interface Impact {
  readonly name: string;
  readonly times: number;
  /** Longest time in which a call was sent and no call was answered 202, in milliseconds. */
  readonly longestPauseMs: number;
  /** Calls answered 503. */
  readonly refused: number;
  /** Connections that broke before the answer. */
  readonly broken: number;
  /** Answers that took longer than a second. */
  readonly slow: number;
  /** Attempts that were made again. */
  readonly repeated: number;
}

interface Answered {
  readonly sentAt: number;
  readonly at: number;
  readonly status: number | undefined;
}

const slowMs = 1_000;

/** Measures how faults affected the callers of that time. */
export function measureImpact(events: readonly HistoryEvent[]): Impact[] {
  const { stories, faults } = toStories(events);
  const answers = toAnswers(events);
  const repeats = stories.flatMap(({ invocations }) =>
    invocations.filter((each, index) => invocations.slice(0, index).some(({ retry }) => retry === each.retry)),
  );
  const names = [...new Set(faults.map(({ name }) => name))];
  return names.map((name) => {
    const spans = faults.filter((fault) => fault.name === name);
    const during = answers.filter(({ sentAt }) => spans.some((span) => isIn(span, sentAt)));
    return {
      name,
      times: spans.length,
      longestPauseMs: Math.max(...spans.map((span) => longestPause(span, answers))),
      refused: during.filter(({ status }) => status !== undefined && status >= 500).length,
      broken: during.filter(({ status }) => status === undefined).length,
      slow: during.filter(({ sentAt, at }) => at - sentAt > slowMs).length,
      repeated: repeats.filter(({ from }) => spans.some((span) => isIn(span, from))).length,
    };
  });
}

function isIn({ from, to }: FaultSpan, at: number): boolean {
  return at >= from && at <= to;
}

/** Between two 202 answers. The first may have come before the fault, the second after it. */
function longestPause({ from, to }: FaultSpan, answers: readonly Answered[]): number {
  const accepted = answers.filter(({ status }) => status === 202).map(({ at }) => at);
  const before = accepted.findLast((at) => at <= from) ?? from;
  const after = accepted.find((at) => at >= to) ?? to;
  const times = [before, ...accepted.filter((at) => at > from && at < to), after];
  return Math.round(Math.max(0, ...times.slice(1).map((at, index) => at - (times[index] ?? at))));
}

/** In the order of their times. */
function toAnswers(events: readonly HistoryEvent[]): Answered[] {
  const sentAt = new Map(events.flatMap((event) => (event.kind === 'sent' ? [[event.request, event.at]] : [])));
  return events
    .flatMap((event) => (event.kind === 'answered' || event.kind === 'broken' ? [event] : []))
    .map((event) => ({
      sentAt: sentAt.get(event.request) ?? event.at,
      at: event.at,
      status: event.kind === 'answered' ? event.status : undefined,
    }))
    .toSorted((a, b) => a.at - b.at);
}
