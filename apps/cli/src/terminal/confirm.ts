import { createInterface } from 'node:readline/promises';
import { CliError, exitCodes, usageError } from '../failure/index.ts';

/** The streams of a question. */
interface Conversation {
  readonly stdin: NodeJS.ReadableStream & { readonly isTTY?: boolean };
  readonly stderr: NodeJS.WritableStream & { readonly isTTY?: boolean };
}

/**
 * Asks before something is done that cannot be undone.
 * @param isSure whether the user has said so already, by `--yes`
 * @throws {CliError} if the answer is not yes, or if no one is at a terminal to answer
 */
export async function confirm({ stdin, stderr }: Conversation, question: string, isSure: boolean): Promise<void> {
  if (isSure) {
    return;
  }
  if (stdin.isTTY !== true || stderr.isTTY !== true) {
    throw usageError(`${question} This cannot be undone: confirm it with --yes`);
  }
  const answer = await ask({ stdin, stderr }, `${question} This cannot be undone. [y/N] `);
  if (answer === 'interrupted') {
    throw new CliError(exitCodes.interrupted, '');
  }
  if (!/^y(es)?$/i.test(answer)) {
    throw new CliError(exitCodes.failed, 'nothing was done');
  }
}

/** Empty at the end of the input, as by Ctrl-D. A terminal that is read line by line sends no signal at Ctrl-C. */
async function ask({ stdin, stderr }: Conversation, question: string): Promise<string> {
  const reader = createInterface({ input: stdin, output: stderr });
  const left = new Promise<string>((resolve) => {
    reader.once('SIGINT', () => resolve('interrupted'));
    reader.once('close', () => resolve(''));
  });
  try {
    return await Promise.race([reader.question(question).then((answer) => answer.trim()), left]);
  } finally {
    reader.close();
  }
}
