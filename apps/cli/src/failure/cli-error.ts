/** What the exit code of the command says. Documented in docs/cli.md; stable. */
export const exitCodes = {
  ok: 0,
  /** A call has ended without success, or a checked file has mistakes. */
  failed: 1,
  /** The command line, a file that it names, or the profile is wrong. Nothing was sent. */
  usage: 2,
  /** No gateway answers at the URL, or it cannot reach its queue. */
  unreachable: 3,
  /** The gateway has refused the request. */
  refused: 4,
  /** The time to wait is over, and the call has not ended. */
  notEnded: 5,
  /** A fault of this program. */
  internal: 70,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Ends the command with an exit code, and tells the user why. */
export class CliError extends Error {
  override readonly name = 'CliError';
  readonly exitCode: ExitCode;

  /** @param message for the user: what is wrong, where, and what would be right. Empty if all has been said */
  constructor(exitCode: ExitCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** A mistake in the command line or in a file that it names. */
export function usageError(message: string, options?: ErrorOptions): CliError {
  return new CliError(exitCodes.usage, message, options);
}
