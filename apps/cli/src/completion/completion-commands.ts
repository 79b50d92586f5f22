import { Argument, Command } from 'commander';
import type { Session } from '../session.ts';
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
    .action((words: string[]) => printCompletions(session, program, words));
}

function printCompletions({ terminal }: Session, program: Command, words: readonly string[]): void {
  for (const { word, description } of completeWords(program, words).candidates) {
    terminal.print(`${toPrintable(word)}\t${toPrintable(description)}`);
  }
}
