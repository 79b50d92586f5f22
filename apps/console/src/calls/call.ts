import type { paths } from '../api/index.ts';

/** A call as the API shows it. */
export type Call = paths['/async-function/{callId}']['get']['responses'][200]['content']['application/json'];

export type CallStatus = Call['status'];

/** In the order of a call's life. */
export const callStatuses: readonly CallStatus[] = [
  'scheduled',
  'queued',
  'running',
  'retrying',
  'succeeded',
  'failed',
  'cancelled',
  'expired',
];

export function hasEnded({ status }: Pick<Call, 'status'>): boolean {
  return ['succeeded', 'failed', 'cancelled', 'expired'].includes(status);
}

/** Where the console shows a call. Calls of different tokens may have the same id, so the link names the token. */
export function hrefOf({ callId, submitter }: { callId: string; submitter?: string | undefined }): string {
  const query = submitter === undefined ? '' : `?${new URLSearchParams({ submitter })}`;
  return `/calls/${callId}${query}`;
}
