import { Command } from 'commander';
import { callCommand, cancelCommand, getCommand, resultCommand } from './calls/index.ts';
import { completeCommand, completionCommand } from './completion/index.ts';
import { devCommand, tokenCommand, verifyCommand } from './local/index.ts';
import {
  deadLettersCommand,
  flowsCommand,
  functionsCommand,
  queuesCommand,
  schedulesCommand,
} from './operators/index.ts';
import { callsCommand, tailCommand } from './searching/index.ts';
import type { Session } from './session.ts';

const examples = `
Examples:
  asyncfn dev                                 run everything on this machine
  asyncfn call hash -d hello --wait           call a function, and print its response
  asyncfn calls --status failed               find calls

The gateway is that of --url (after the command), ASYNCFN_URL or the profile; the token is ASYNCFN_TOKEN or that of the profile.
Exit codes: 0 done, 1 a call failed or a file has mistakes, 2 usage error, 3 no gateway, 4 refused, 5 not ended in time.`;

/** All commands. */
export function createProgram(session: Session): Command {
  const program = new Command('asyncfn')
    .description('Call HTTP functions through a durable queue.')
    .version(session.version, '--version', 'print the version')
    .addHelpText('after', examples);
  program.commandsGroup('On this machine:');
  program.addCommand(devCommand(session));
  program.addCommand(verifyCommand(session));
  program.addCommand(tokenCommand(session));
  program.addCommand(completionCommand(session));
  program.commandsGroup('Calls:');
  program.addCommand(callCommand(session));
  program.addCommand(getCommand(session));
  program.addCommand(resultCommand(session));
  program.addCommand(cancelCommand(session));
  program.addCommand(callsCommand(session));
  program.addCommand(tailCommand(session));
  program.commandsGroup('For operators:');
  program.addCommand(queuesCommand(session));
  program.addCommand(functionsCommand(session));
  program.addCommand(schedulesCommand(session));
  program.addCommand(flowsCommand(session));
  program.addCommand(deadLettersCommand(session));
  program.addCommand(completeCommand(session, program), { hidden: true });
  return program;
}
