import { AsyncfnError, OptionError, ProblemError, UnreachableError } from '@asyncfn/client';
import { CliError, type ExitCode, exitCodes } from './cli-error.ts';

export interface Failure {
  /** Empty if all has been said. It may quote strangers, and is not safe in a terminal yet. */
  readonly message: string;
  readonly exitCode: ExitCode;
  /** A stable name for programs: that of the problem, if a gateway has refused something. */
  readonly code: string;
}

/**
 * What any thrown value means to the user.
 * @param gateway URL of the gateway that was asked, if any
 */
export function describeFailure(error: unknown, gateway = 'the gateway'): Failure {
  if (error instanceof CliError) {
    return { message: error.message, exitCode: error.exitCode, code: nameOf(error.exitCode) };
  }
  if (error instanceof ProblemError) {
    return { message: describeProblem(error), exitCode: exitCodeOf(error), code: error.code };
  }
  if (error instanceof UnreachableError) {
    const advice = 'Is it running there? `asyncfn dev` starts one; --url or ASYNCFN_URL name another.';
    return { message: `${gateway}: ${error.message}\n${advice}`, exitCode: exitCodes.unreachable, code: error.code };
  }
  if (error instanceof OptionError) {
    return { message: error.message, exitCode: exitCodes.usage, code: error.code };
  }
  if (error instanceof AsyncfnError) {
    return { message: `${gateway}: ${error.message}`, exitCode: exitCodes.unreachable, code: error.code };
  }
  const message = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return { message: `this is a fault of asyncfn: ${message}`, exitCode: exitCodes.internal, code: 'internal' };
}

function exitCodeOf({ status }: ProblemError): ExitCode {
  return [502, 503, 504].includes(status) ? exitCodes.unreachable : exitCodes.refused;
}

const advice: Readonly<Record<string, string>> = {
  unauthorized: 'Set ASYNCFN_TOKEN to a token of this gateway, or put one into your profile.',
  forbidden: 'The token does not include this: an operator can give it the scope or the function.',
  unknown_function: '`asyncfn functions list` shows those that are registered.',
};

function describeProblem(error: ProblemError): string {
  const { code, message, retryAfterMs } = error;
  const later = retryAfterMs === undefined ? [] : [`Try again in ${Math.ceil(retryAfterMs / 1000)} s.`];
  return [`${message} (${code})`, ...later, ...(advice[code] === undefined ? [] : [advice[code]])].join('\n');
}

function nameOf(code: ExitCode): string {
  return Object.entries(exitCodes).find(([, known]) => known === code)?.[0] ?? 'internal';
}
