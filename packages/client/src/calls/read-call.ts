import type { Attempt, CallState } from '../api/index.ts';
import { checkOptions, type OptionNames } from '../errors/index.ts';
import { jsonOf, type RequestOptions, type Transport, toPath, toQuery } from '../http/index.ts';
import { CallResult } from './call-result.ts';
import type { Waiting } from './waiting.ts';

/** Which call an id means. */
export interface CallReference extends RequestOptions {
  /** The name of the token whose call is meant, empty for none. Default: the own one, else the newest that may be seen. */
  readonly submitter?: string | undefined;
}

export const referenceOptions: OptionNames<CallReference> = { submitter: true, signal: true };

/** @throws OptionError for a misspelt option: the call of another submitter would be meant */
export function checkReference(reference: CallReference): CallReference {
  checkOptions(reference, referenceOptions);
  return reference;
}

/** The path of a call, or of what belongs to it. */
export function pathOf(callId: string, parts: readonly string[], query: Parameters<typeof toQuery>[0]): string {
  return `/async-function${toPath(callId, ...parts)}${toQuery(query)}`;
}

/** @param waiting whether and how long the gateway waits for the end of the call */
export async function getCall(
  transport: Transport,
  callId: string,
  reference: CallReference,
  waiting: Partial<Waiting> = {},
): Promise<CallState> {
  const { submitter, signal } = checkReference(reference);
  const { parameter, ...limits } = waiting;
  const path = (): string => pathOf(callId, [], { wait: parameter?.(), submitter });
  return await transport.request({ method: 'GET', path, repeat: 'safe', signal, ...limits }, jsonOf<CallState>);
}

export async function getResult(transport: Transport, callId: string, reference: CallReference): Promise<CallResult> {
  const { submitter, signal } = checkReference(reference);
  const path = pathOf(callId, ['result'], { submitter });
  return await transport.request({ method: 'GET', path, repeat: 'safe', signal }, (response) =>
    CallResult.read(response),
  );
}

export async function getAttempts(transport: Transport, callId: string, reference: CallReference): Promise<Attempt[]> {
  const { submitter, signal } = checkReference(reference);
  const path = pathOf(callId, ['attempts'], { submitter });
  const request = { method: 'GET', path, repeat: 'safe', signal } as const;
  const { attempts } = await transport.request(request, jsonOf<{ attempts: Attempt[] }>);
  return attempts;
}
