import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';

const examples = `
Examples:
  asyncfn cancel nap-1
  asyncfn calls --label book=4711 --status queued --json | jq -r .callId | xargs asyncfn cancel`;

/** `asyncfn cancel CALL-ID...` */
export function cancelCommand(session: Session): Command {
  const command = new Command('cancel')
    .summary('cancel calls')
    .description('Cancel calls that have not ended, and the steps that follow them.')
    .argument('<call-id...>', 'ids of calls')
    .addHelpText('after', examples)
    .action(async (callIds: string[], flags: Common) => cancelCalls(session, callIds, flags));
  return gatewayOptions(command);
}

/** One after the other: the first that cannot be cancelled ends the command. */
async function cancelCalls(session: Session, callIds: readonly string[], flags: Common): Promise<void> {
  const { terminal, signal } = session;
  const client = await openClient(session, flags);
  for (const callId of callIds) {
    const state = await client.cancel(callId, { signal });
    if (flags.json) {
      terminal.printJson(state);
    } else {
      terminal.print(`${state.callId} ${state.status}`);
    }
  }
}
