import type { ActiveCall, Call, EndedCall, Outcome } from '@asyncfn/queue-core';

const start = Date.UTC(2026, 0, 31, 12);

export function callOf(id: string, fields: Partial<Call> = {}): Call {
  return {
    id,
    function: 'echo',
    queue: 'default',
    path: '',
    query: '',
    headers: [['Authorization', 's3cr3t']],
    startTime: `${start}123456`,
    retry: 0,
    body: Buffer.from('s3cr3t'),
    ...fields,
  };
}

export function activeCall(id: string, phase: ActiveCall['phase'], fields: Partial<Call> = {}): ActiveCall {
  return { kind: 'active', phase, call: callOf(id, fields) };
}

/** With the result that `RecordingCalls` returns for it. */
export interface EndedWithResult extends EndedCall {
  readonly body: Uint8Array;
}

export function endedCall(id: string, fields: Partial<Outcome> = {}, body = 'the result'): EndedWithResult {
  const outcome: Outcome = {
    v: 1,
    callId: id,
    generation: 0,
    function: 'echo',
    queue: 'default',
    status: 'succeeded',
    functionStatus: 200,
    attempts: 1,
    maxRetries: 10,
    startTime: `${start}123456`,
    startedAt: start + 12,
    endedAt: start + 1_012,
    durationMs: 999.6,
    headers: [],
    ...fields,
  };
  return { kind: 'ended', outcome, body: Buffer.from(body), callback: undefined };
}
