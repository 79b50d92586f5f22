import { type CallResult, type CallState, hasEnded } from '@asyncfn/client';
import { CliError, exitCodes } from '../failure/index.ts';
import type { Session } from '../session.ts';
import { showBody } from '../terminal/index.ts';
import { describeEnd } from './describe-state.ts';
import { toJsonResult } from './json-result.ts';

export interface Waited {
  readonly state: CallState;
  /** The response of the function, if it has ended with one. */
  readonly result: CallResult | undefined;
  readonly json: boolean;
  /** Where the response goes; undefined for stdout. */
  readonly file: string | undefined;
}

/**
 * Prints what a call that was waited for has come to.
 * @throws {CliError} if it has not succeeded, or not ended
 */
export async function finishWait({ terminal }: Session, { state, result, json, file }: Waited): Promise<void> {
  if (json) {
    terminal.printJson({ ...state, ...(result !== undefined && { result: toJsonResult(result) }) });
  } else if (result !== undefined && (state.status === 'succeeded' || result.body.length > 0)) {
    await showBody(terminal, state.callId, result.body, file);
  }
  if (!hasEnded(state)) {
    const advice = `asyncfn get ${state.callId} --wait`;
    throw new CliError(exitCodes.notEnded, `the call is still ${state.status}: ${advice}`);
  }
  if (state.status !== 'succeeded') {
    throw new CliError(exitCodes.failed, describeEnd(state));
  }
}
