import type { CallFilter, CallPage, CallState } from '../api/index.ts';
import { type CallReference, checkReference } from '../calls/index.ts';
import { eachEntry, getJson, nothingOf, type RequestOptions, type Transport, toPath, toQuery } from '../http/index.ts';

const callsPath = '/system/calls';

/** One page of a search. */
export async function findCalls(transport: Transport, filter: CallFilter, options: RequestOptions): Promise<CallPage> {
  return await getJson<CallPage>(transport, `${callsPath}${toQuery(filter)}`, options);
}

/** The calls of all pages. */
export function eachCall(
  transport: Transport,
  filter: CallFilter,
  options: RequestOptions,
): AsyncGenerator<CallState, void, undefined> {
  return eachEntry(transport, { path: callsPath, filter }, options, ({ calls }: CallPage) => calls);
}

/** Erases all that is kept of an ended call. */
export async function eraseCall(transport: Transport, callId: string, reference: CallReference): Promise<void> {
  const { submitter, signal } = checkReference(reference);
  const path = `${callsPath}${toPath(callId)}${toQuery({ submitter })}`;
  await transport.request<true>({ method: 'DELETE', path, repeat: 'safe', signal }, nothingOf, isGone);
}

/** What an earlier try has removed, whose answer was lost, is removed. */
export function isGone({ status }: { readonly status: number }, retries: number): true | undefined {
  return retries > 0 && status === 404 ? true : undefined;
}
