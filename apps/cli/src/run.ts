import { readVersion } from '@asyncfn/service-kit/version';
import { type Command, CommanderError } from 'commander';
import { describeFailure, exitCodes } from './failure/index.ts';
import { createProgram } from './program.ts';
import type { Session } from './session.ts';
import { Terminal, toPrintableText } from './terminal/index.ts';

/** Runs the command line of the process, to its exit code. */
export async function run(process: NodeJS.Process): Promise<void> {
  const { stdout, stderr, env } = process;
  endQuietlyWithoutReader(process);
  const terminal = new Terminal({ stdout, stderr, env });
  const interrupted = new AbortController();
  const onSignal = (): void => {
    // A second one does not wait.
    if (interrupted.signal.aborted) {
      process.exit(exitCodes.interrupted);
    }
    interrupted.abort();
  };
  process.on('SIGINT', onSignal);
  const version = readVersion(import.meta.url);
  const session: Session = { process, terminal, version, signal: interrupted.signal, now: Date.now };
  const program = createProgram(session);
  settle(program, terminal);
  try {
    await program.parseAsync(process.argv);
  } catch (error) {
    process.exitCode = interrupted.signal.aborted ? exitCodes.interrupted : report(error, session);
  }
}

/** Errors are thrown, so that one place turns them into an exit code. */
function settle(command: Command, terminal: Terminal): void {
  command.exitOverride().configureOutput({
    writeOut: (text) => terminal.write(text),
    writeErr: (text) => terminal.say(toPrintableText(text.trimEnd())),
  });
  command.showHelpAfterError(`See ${pathOf(command)} --help`);
  command.helpCommand(false);
  for (const child of command.commands) {
    settle(child, terminal);
  }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function report(error: unknown, { process, terminal, gateway }: Session): number {
  if (error instanceof CommanderError) {
    // It has said what there is to say.
    return error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
  const { message, exitCode, code } = describeFailure(error, gateway);
  if (message !== '' && process.argv.includes('--json')) {
    terminal.say(JSON.stringify({ error: { code, message, exitCode } }));
  } else if (message !== '') {
    terminal.say(`${terminal.paintSaid('red', 'error:')} ${toPrintableText(message)}`);
  }
  return exitCode;
}

/** The reader of the output has gone, as after `| head`: there is nothing left to do, and nothing wrong. */
function endQuietlyWithoutReader(process: NodeJS.Process): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.internal);
    });
  }
}
