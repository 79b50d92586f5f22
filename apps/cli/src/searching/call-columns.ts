import type { CallState } from '@asyncfn/client';
import { type Column, formatAge, formatUntil } from '../terminal/index.ts';

/** The columns of a list of calls. */
export function callColumns(nowMs: number): Column<CallState>[] {
  return [
    { title: 'call', of: ({ callId }) => callId },
    { title: 'function', of: ({ function: name }) => name, isFlexible: true },
    { title: 'status', of: ({ status }) => status },
    { title: 'answer', of: ({ functionStatus }) => functionStatus, align: 'right' },
    { title: 'tries', of: ({ attempts }) => attempts, align: 'right' },
    { title: 'created', of: ({ createdAt }) => formatAge(createdAt, nowMs), align: 'right' },
    { title: 'why', of: (call) => describeWhy(call, nowMs), isFlexible: true },
    { title: 'labels', of: ({ labels }) => labels?.join(' '), isFlexible: true },
  ];
}

/** Why a call has failed, or what it waits for. */
function describeWhy({ reason, status, notBefore }: CallState, nowMs: number): string | undefined {
  const waits = (status === 'scheduled' || status === 'retrying') && notBefore !== undefined;
  return reason ?? (waits ? formatUntil(notBefore, nowMs) : undefined);
}
