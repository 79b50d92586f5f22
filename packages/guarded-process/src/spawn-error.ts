/**
 * `not_found`: the command or the `cwd` does not exist. `not_executable`: it exists, but may not be run.
 * `spawn_failed`: all other errors.
 */
export type SpawnErrorCode = 'not_found' | 'not_executable' | 'spawn_failed';

/** A command that could not be run at all. One that ran and failed is a {@link ProcessExit}, not an error. */
export class SpawnError extends Error {
  override readonly name = 'SpawnError';
  readonly code: SpawnErrorCode;

  constructor(code: SpawnErrorCode, message: string) {
    super(message);
    this.code = code;
  }

  /** From the system's error for that command and folder. */
  static from(error: unknown, command: string, cwd: string | undefined): SpawnError {
    const systemCode = error instanceof Error && 'code' in error ? error.code : undefined;
    switch (systemCode) {
      case 'ENOENT': {
        // The system names the command even if the folder is missing.
        const where = cwd === undefined ? '' : ` (in the folder ${cwd}, which has to exist)`;
        return new SpawnError('not_found', `cannot run ${command}: no such command${where}`);
      }
      case 'EACCES':
      case 'ENOEXEC':
        return new SpawnError('not_executable', `cannot run ${command}: it is not executable (${systemCode})`);
      default:
        return new SpawnError(
          'spawn_failed',
          `cannot run ${command}: ${error instanceof Error ? error.message : String(error)}`,
        );
    }
  }
}
