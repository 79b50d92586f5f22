import { createInterface } from 'node:readline/promises';
import { CliError, exitCodes, usageError } from '../failure/index.ts';

/** The streams of a question. */
interface Conversation {
  readonly stdin: NodeJS.ReadStream;
  readonly stderr: NodeJS.WriteStream;
}

/**
 * Asks before something is done that cannot be undone.
 * @param isSure whether the user has said so already, by `--yes`
 * @throws {CliError} if the answer is not yes, or if nobody can be asked
 */
export async function confirm({ stdin, stderr }: Conversation, question: string, isSure: boolean): Promise<void> {
  if (isSure) {
    return;
  }
  if (!stdin.isTTY || !stderr.isTTY) {
    throw usageError(`${question} This cannot be undone: confirm it with --yes`);
  }
  const reader = createInterface({ input: stdin, output: stderr });
  try {
    const answer = await reader.question(`${question} This cannot be undone. [y/N] `);
    if (!/^y(es)?$/i.test(answer.trim())) {
      throw new CliError(exitCodes.failed, 'nothing was done');
    }
  } finally {
    reader.close();
  }
}
