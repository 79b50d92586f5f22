import type { AttemptRecord, CallState } from '@asyncfn/queue-core';
import { toIso } from './call-view.ts';

/** An attempt as its caller sees it. */
export interface AttemptView {
  readonly attempt: number;
  readonly startedAt: string;
  readonly durationMs?: number;
  readonly status?: number;
  readonly error?: string;
  readonly verdict: string;
  readonly retryAt?: string;
  readonly worker: string;
}

/** The attempts of a call, oldest first: those that are stored, and the one that runs. */
export function attemptsOf(state: CallState): readonly AttemptRecord[] {
  return (state.kind === 'ended' ? state.outcome.history : (state.held?.history ?? state.call.history)) ?? [];
}

export function toAttemptViews(attempts: readonly AttemptRecord[]): { attempts: AttemptView[] } {
  return { attempts: attempts.map(toAttemptView) };
}

export function toAttemptView(record: AttemptRecord): AttemptView {
  const { attempt, startedAt, durationMs, status, error, verdict, retryAt, worker = 'unknown' } = record;
  return {
    attempt,
    startedAt: toIso(startedAt),
    ...(durationMs !== undefined && { durationMs }),
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    verdict,
    ...(retryAt !== undefined && { retryAt: toIso(retryAt) }),
    worker,
  };
}
