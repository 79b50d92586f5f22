import type { Impact, Verdict, Violation } from './check/index.ts';
import type { FaultSpan, HistoryEvent } from './history/index.ts';

/** The verdict for people: the counts, and the shortest story of a call for each broken rule. */
export function formatReport(verdict: Verdict, faults: readonly FaultSpan[], impacts: readonly Impact[] = []): string {
  const { clean, counts, conservation, queued, left, violations } = verdict;
  const lines = [
    `verdict      ${clean ? 'clean' : 'NOT CLEAN'}`,
    `calls        ${counts.sent} sent, ${counts.accepted} accepted, ${counts.refused} refused, ` +
      `${counts.unknown} without a clear answer (${counts.unknownStored} of them stored)`,
    `ends         ${counts.ended} (${counts.cancelled} cancelled, ${counts.expired} expired), ${queued ?? 'an unknown number of'} messages left in the queues`,
    ...left.map((message) => `             ${message}`),
    `invocations  ${counts.invocations}, ${counts.repeated} of them made again after a fault`,
    `callbacks    ${counts.callbacks}`,
    `conservation ${conservation}; the workers' own audit misses ${counts.missed} calls`,
    `faults       ${counts.faults}`,
    ...formatImpacts(impacts),
  ];
  return [...lines, ...formatViolations(violations, faults)].join('\n');
}

function formatImpacts(impacts: readonly Impact[]): string[] {
  const head = 'times   longest pause   503s   broken   slow   made again';
  const rows = impacts
    .toSorted((a, b) => b.longestPauseMs - a.longestPauseMs)
    .map(({ name, times, longestPauseMs, refused, broken, slow, repeated }) =>
      [
        name.padEnd(20),
        String(times).padStart(5),
        `${longestPauseMs} ms`.padStart(15),
        String(refused).padStart(6),
        String(broken).padStart(8),
        String(slow).padStart(6),
        String(repeated).padStart(12),
      ].join(' '),
    );
  return rows.length === 0 ? [] : ['', `${' '.repeat(21)}${head}`, ...rows];
}

function formatViolations(violations: readonly Violation[], faults: readonly FaultSpan[]): string[] {
  const rules = new Set(violations.map(({ rule }) => rule));
  return [...rules].flatMap((rule) => {
    const broken = violations.filter((violation) => violation.rule === rule);
    const [shortest] = broken;
    return shortest === undefined ? [] : ['', `broken: ${rule} (${broken.length} calls)`, ...tell(shortest, faults)];
  });
}

/** Everything that happened to the call, with the faults of that time. Times are milliseconds since it was sent. */
function tell({ detail, story }: Violation, faults: readonly FaultSpan[]): string[] {
  const { sent, events, callIds, request } = story;
  const last = events.at(-1)?.at ?? sent.at;
  const meanwhile = faults
    .filter(({ from, to }) => from <= last + 1_000 && to >= sent.at - 1_000)
    .flatMap(({ name, target, from, to }) => [
      { at: from, text: `-- ${name} begins: ${target}` },
      ...(Number.isFinite(to) ? [{ at: to, text: `-- ${name} ends: ${target}` }] : []),
    ]);
  const told = [...events.map((event) => ({ at: event.at, text: describe(event) })), ...meanwhile];
  return [
    `  request ${request}, call ${[...callIds].join(' and ') || 'unknown'}: ${detail}`,
    ...told
      .toSorted((a, b) => a.at - b.at)
      .map(({ at, text }) => `  ${String(Math.round(at - sent.at)).padStart(8)} ms  ${text}`),
  ];
}

function describe(event: HistoryEvent): string {
  const { at: _, kind, ...rest } = event;
  const fields = Object.entries(rest)
    .filter(([name]) => name !== 'request' && name !== 'callId')
    .map(([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : value}`);
  return [kind, ...fields].join(' ');
}
