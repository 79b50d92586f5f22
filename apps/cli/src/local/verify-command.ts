import { readFile } from 'node:fs/promises';
import { Command } from 'commander';
import { CliError, exitCodes, usageError } from '../failure/index.ts';
import { type JsonChoice, jsonOption } from '../options/index.ts';
import type { Session } from '../session.ts';
import { formatCount, toPrintable } from '../terminal/index.ts';
import { checkFunctions } from './check-functions.ts';

interface VerifyFlags extends JsonChoice {
  readonly tokens?: true;
}

const examples = `
Examples:
  asyncfn verify functions.yaml
  asyncfn verify --tokens tokens.yaml

It prints each mistake as FILE:LINE: and ends with 1 if there is one. Variables such as \${HOST} are filled in from the
environment, and settings such as CALLBACK_ALLOW are read from there, as a gateway does it. The secret files of webhooks are
read as well: run it where they are.`;

/** `asyncfn verify FILE` */
export function verifyCommand(session: Session): Command {
  const command = new Command('verify')
    .summary('check functions files or tokens files')
    .description('Check a functions file, or a stack.yaml of OpenFaaS, as a gateway does when it starts.')
    .argument('<file...>', 'the files')
    .option('--tokens', 'they are tokens files (AUTH_TOKENS_FILE)')
    .addHelpText('after', examples)
    .action(async (files: string[], flags: VerifyFlags) => verifyFiles(session, files, flags));
  return jsonOption(command);
}

interface Verdict {
  readonly file: string;
  readonly problems: readonly string[];
  /** What a file without mistakes holds. */
  readonly summary: string;
}

async function verifyFiles(session: Session, files: readonly string[], flags: VerifyFlags): Promise<void> {
  const { terminal } = session;
  const verdicts: Verdict[] = [];
  for (const file of files) {
    verdicts.push(await verify(session, file, flags.tokens === true));
  }
  for (const { file, problems, summary } of verdicts) {
    if (flags.json) {
      terminal.printJson({ file, valid: problems.length === 0, problems });
      continue;
    }
    for (const problem of problems) {
      terminal.print(toPrintable(problem));
    }
    if (problems.length === 0) {
      terminal.print(`${terminal.paint('green', 'ok')} ${toPrintable(file)}: ${summary}`);
    }
  }
  const count = verdicts.reduce((sum, { problems }) => sum + problems.length, 0);
  if (count > 0) {
    throw new CliError(exitCodes.failed, formatCount(count, 'mistake'));
  }
}

async function verify({ process }: Session, file: string, isTokens: boolean): Promise<Verdict> {
  const text = await read(file);
  if (isTokens) {
    const { parseTokensFile } = await import('@asyncfn/tokens');
    const parsed = parseTokensFile(text, file);
    return parsed.kind === 'settings'
      ? { file, problems: [], summary: formatCount(parsed.settings.length, 'token') }
      : { file, problems: parsed.problems, summary: '' };
  }
  const { functions, problems } = await checkFunctions(file, process);
  return { file, problems, summary: formatCount(functions, 'function') };
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw usageError(`${file}: cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}
