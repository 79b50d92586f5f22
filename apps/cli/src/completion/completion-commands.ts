import { Argument, Command } from 'commander';
import { openClient, type Session } from '../session.ts';
import { toPrintable } from '../terminal/index.ts';
import { completeWords } from './complete-words.ts';
import { completionScript, type Shell, shells } from './completion-scripts.ts';

const examples = `
Examples:
  asyncfn completion bash >> ~/.bashrc
  asyncfn completion zsh > "\${fpath[1]}/_asyncfn"
  asyncfn completion fish > ~/.config/fish/completions/asyncfn.fish`;

/** `asyncfn completion SHELL` */
export function completionCommand({ terminal }: Session): Command {
  return new Command('completion')
    .summary('print a completion script for a shell')
    .description('Print the script that completes commands, options and names of functions in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', examples)
    .action((shell: Shell) => terminal.write(completionScript(shell)));
}

/** `asyncfn complete -- WORDS...`: what the scripts run. */
export function completeCommand(session: Session, program: Command): Command {
  return new Command('complete')
    .description('Print the words that may come next.')
    .argument('[words...]')
    .action(async (words: string[]) => printCompletions(session, program, words));
}

async function printCompletions(session: Session, program: Command, words: readonly string[]): Promise<void> {
  const { candidates, wantsFunction } = completeWords(program, words);
  const current = words.at(-1) ?? '';
  const names = wantsFunction ? await functionNames(session) : [];
  const functions = names.filter((name) => name.startsWith(current)).map((word) => ({ word, description: 'function' }));
  for (const { word, description } of [...candidates, ...functions]) {
    session.terminal.print(`${toPrintable(word)}\t${toPrintable(description)}`);
  }
}

/** A person has pressed a key and waits. */
const limitMs = 1_000;

/** None if no gateway answers, or if the token may not see them. */
async function functionNames(session: Session): Promise<string[]> {
  try {
    const client = await openClient(session, {});
    const functions = await client.functions.list({ signal: AbortSignal.timeout(limitMs) });
    return functions.map(({ name }) => name);
  } catch {
    return [];
  }
}
