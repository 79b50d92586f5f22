import type { paths } from '../api/index.ts';
import { formatCount } from '../format/index.ts';

/** A flow key as the API shows it. */
export type Flow = paths['/system/flows/{function}/{key}']['get']['responses'][200]['content']['application/json'];

type Limit = keyof Flow['limitsFrom'];

/** What tells one key from all others. */
export interface FlowAddress {
  readonly function: string;
  readonly key: string;
  /** Name of the token that its calls are submitted with, empty for none; undefined if it is not known. */
  readonly submitter?: string | undefined;
}

/** Whether a text can be a key. Paths have no `.` and `..`: a request about such a key would go somewhere else. */
export function isFlowKey(text: string): boolean {
  return /^[!-~]{1,128}$/.test(text) && text !== '.' && text !== '..';
}

/** Where the console shows a key. The key is in the query, because paths do not keep all characters as they are. */
export function hrefOfFlow({ function: name, key, submitter }: FlowAddress): string {
  const query = new URLSearchParams({ key, ...(submitter !== undefined && { submitter }) });
  return `/flows/${encodeURIComponent(name)}?${query}`;
}

/** The list of the keys of a function. */
export function hrefOfFlows(name: string): string {
  return `/flows?${new URLSearchParams({ function: name })}`;
}

/** Tells keys apart in a list: a key may be in several queues. */
export function idOf({ queue, function: name, submitter = '', key }: Flow): string {
  return [queue, name, submitter, key].join(' ');
}

const sources: Readonly<Record<string, string>> = {
  pin: 'pinned',
  function: 'set by the function',
  caller: 'named by the latest call',
};

/** Who has set a limit. */
export function describeSource({ limitsFrom }: Flow, limit: Limit): string {
  const source = limitsFrom[limit];
  return source === null ? 'the default' : (sources[source] ?? source);
}

/** Who has set the limits, in a few words. */
export function describeSources(flow: Flow): string {
  const [parallelism, rate] = [describeSource(flow, 'parallelism'), describeSource(flow, 'rate')];
  return flow.rate === null || parallelism === rate ? parallelism : `${parallelism}; rate ${rate}`;
}

/** `10/1m` as people say it. */
export function describeRate(rate: string | null): string {
  const [count = '', period = ''] = (rate ?? '').split('/');
  return rate === null ? 'no limit' : `${formatCount(Number(count))} in ${period}`;
}

/** The keys of several pages. One that changed between two readings is in both: the later one counts. */
export function withoutRepeats(flows: readonly Flow[]): Flow[] {
  return [...new Map(flows.map((flow) => [idOf(flow), flow])).values()];
}
