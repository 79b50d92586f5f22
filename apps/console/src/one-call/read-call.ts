import { may } from '../access/index.ts';
import { ApiProblem, api, type paths, read } from '../api/index.ts';
import { type Call, hasEnded } from '../calls/index.ts';

export type Attempt =
  paths['/async-function/{callId}/attempts']['get']['responses'][200]['content']['application/json']['attempts'][number];

type Letter = paths['/system/dead-letters/{callId}']['get']['responses'][200]['content']['application/json'];

/** What is known of a call. Of one that ended long ago, only the dead letter may be left. */
export interface KnownCall {
  readonly call: Call | undefined;
  readonly attempts: readonly Attempt[];
  readonly letter: Letter | undefined;
}

/** @throws ApiProblem 404 if nothing is kept of it */
export async function readCall(callId: string, submitter: string | undefined, signal: AbortSignal): Promise<KnownCall> {
  const path = { callId };
  const query = submitter === undefined ? {} : { submitter };
  try {
    // Without being asked for events, the gateway answers with the state alone.
    const call = (await read(api.GET('/async-function/{callId}', { params: { path, query }, signal }))) as Call;
    // From here on the same call, whatever others have this id.
    const params = { path, query: { submitter: call.submitter ?? '' } };
    const [attempts, letter] = await Promise.all([
      orNothing(read(api.GET('/async-function/{callId}/attempts', { params, signal }))),
      mayHaveLetter(call) ? orNothing(read(api.GET('/system/dead-letters/{callId}', { params, signal }))) : undefined,
    ]);
    return { call, attempts: attempts?.attempts ?? [], letter };
  } catch (error) {
    const problem = ApiProblem.from(error);
    if (problem.status !== 404 || !may('admin')) {
      throw problem;
    }
    return await readLetter(path, query, signal);
  }
}

async function readLetter(path: { callId: string }, query: { submitter?: string }, signal: AbortSignal) {
  const letter = await read(api.GET('/system/dead-letters/{callId}', { params: { path, query }, signal }));
  const params = { path, query: { submitter: letter.submitter ?? '' } };
  const known = await orNothing(read(api.GET('/system/dead-letters/{callId}/attempts', { params, signal })));
  return { call: undefined, attempts: known?.attempts ?? [], letter };
}

function mayHaveLetter(call: Call): boolean {
  const hasFailed = call.status === 'failed' || call.status === 'expired' || call.callback?.status === 'failed';
  return may('admin') && hasEnded(call) && hasFailed;
}

/** Undefined if there is none. */
async function orNothing<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    const problem = ApiProblem.from(error);
    if (problem.status === 404) {
      return undefined;
    }
    throw problem;
  }
}

/** Whether the call will change by itself. */
export function isOpen({ call }: KnownCall): boolean {
  return call !== undefined && (!hasEnded(call) || call.callback?.status === 'pending');
}
