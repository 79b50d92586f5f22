import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { showBody, toPrintable } from '../terminal/index.ts';
import { toJsonResult } from './json-result.ts';

interface ResultFlags extends Common {
  readonly output?: string;
  readonly include?: true;
}

const examples = `
Examples:
  asyncfn result nap-1
  asyncfn result report-4711 -o report.pdf
  asyncfn result nap-1 --include`;

/** `asyncfn result CALL-ID` */
export function resultCommand(session: Session): Command {
  const command = new Command('result')
    .summary('print the response of the function')
    .description('Print the response of the function to a call that has ended.')
    .argument('<call-id>', 'the id that `asyncfn call` printed')
    .option('-o, --output <file>', 'write the body to a file')
    .option('-i, --include', 'say status and headers as well, on stderr')
    .addHelpText('after', examples)
    .action(async (callId: string, flags: ResultFlags) => showResult(session, callId, flags));
  return gatewayOptions(command);
}

async function showResult(session: Session, callId: string, flags: ResultFlags): Promise<void> {
  const { terminal, signal } = session;
  const client = await openClient(session, flags);
  const result = await client.result(callId, { signal });
  if (flags.json) {
    terminal.printJson({ callId, ...toJsonResult(result) });
    return;
  }
  if (flags.include) {
    terminal.say(terminal.paintSaid('bold', String(result.status)));
    for (const [name, value] of result.headers) {
      terminal.say(`${toPrintable(name)}: ${toPrintable(value)}`);
    }
  }
  await showBody(terminal, callId, result.body, flags.output);
}
