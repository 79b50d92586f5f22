import type { CallState } from '../api/index.ts';
import { jsonOf, type Transport } from '../http/index.ts';
import { type CallReference, checkReference, pathOf } from './read-call.ts';

/** The state of the cancelled call. */
export async function cancelCall(transport: Transport, callId: string, reference: CallReference): Promise<CallState> {
  const { submitter, signal } = checkReference(reference);
  const request = { method: 'DELETE', path: pathOf(callId, [], { submitter }), repeat: 'safe', signal } as const;
  return await transport.request(request, jsonOf<CallState>, ({ code, problem }, retries) => {
    const call = problem['call'] as CallState | undefined;
    // An earlier try had cancelled it, and its answer was lost.
    return retries > 0 && code === 'already_ended' && call?.status === 'cancelled' ? call : undefined;
  });
}
