import type { Argument, Command, Option } from 'commander';

/** A word that may come next. */
interface Candidate {
  readonly word: string;
  readonly description: string;
}

export interface Completions {
  readonly candidates: readonly Candidate[];
  /** Whether names of functions may come next as well; the gateway knows them. */
  readonly wantsFunction: boolean;
}

/** Arguments and options with this name are names of functions. */
const functionName = 'name';
const functionOption = '--function';
/** Their NAME is something else. */
const otherNames: ReadonlySet<string> = new Set(['create']);

/**
 * What may come next in a command line.
 * @param words those after the name of the program; the last one is being typed and may be empty
 */
export function completeWords(program: Command, words: readonly string[]): Completions {
  const current = words.at(-1) ?? '';
  const { command, positionals, pending } = walk(program, words.slice(0, -1));
  if (pending !== undefined) {
    return { candidates: choices(pending, current), wantsFunction: pending.long === functionOption };
  }
  if (current.startsWith('-')) {
    return { candidates: optionsOf(command, current), wantsFunction: false };
  }
  const argument = argumentAt(command, positionals);
  const subcommands = positionals > 0 ? [] : subcommandsOf(command, current);
  return {
    candidates: [...subcommands, ...(argument === undefined ? [] : choices(argument, current))],
    wantsFunction: argument?.name() === functionName && !otherNames.has(command.name()),
  };
}

interface Place {
  readonly command: Command;
  /** How many arguments the command has been given. */
  readonly positionals: number;
  /** The option whose value comes next. */
  readonly pending: Option | undefined;
}

function walk(program: Command, words: readonly string[]): Place {
  const start: Place = { command: program, positionals: 0, pending: undefined };
  return words.reduce(step, start);
}

/** Where a command line is after one more word. */
function step({ command, positionals, pending }: Place, word: string): Place {
  if (pending !== undefined) {
    return { command, positionals, pending: undefined };
  }
  if (word.startsWith('-')) {
    const option = command.options.find(({ long, short }) => word === long || word === short);
    return { command, positionals, pending: option?.required ? option : undefined };
  }
  const next = positionals === 0 ? command.commands.find((one) => one.name() === word) : undefined;
  return next === undefined
    ? { command, positionals: positionals + 1, pending }
    : { command: next, positionals, pending };
}

function argumentAt(command: Command, index: number): Argument | undefined {
  const { registeredArguments } = command;
  const last = registeredArguments.at(-1);
  return registeredArguments[index] ?? (last?.variadic ? last : undefined);
}

function choices({ argChoices }: Pick<Option, 'argChoices'>, current: string): Candidate[] {
  return startingWith(
    current,
    (argChoices ?? []).map((word) => ({ word, description: '' })),
  );
}

function optionsOf(command: Command, current: string): Candidate[] {
  const options = command.createHelp().visibleOptions(command);
  return startingWith(
    current,
    options.map((option) => ({ word: option.long ?? option.short ?? '', description: option.description })),
  );
}

function subcommandsOf(command: Command, current: string): Candidate[] {
  const commands = command.createHelp().visibleCommands(command);
  return startingWith(
    current,
    commands.map((one) => ({ word: one.name(), description: one.summary() || one.description() })),
  );
}

function startingWith(current: string, candidates: readonly Candidate[]): Candidate[] {
  return candidates.filter(({ word }) => word.startsWith(current));
}
