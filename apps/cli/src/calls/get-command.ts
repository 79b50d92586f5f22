import { hasEnded } from '@asyncfn/client';
import { Command } from 'commander';
import { CliError, exitCodes } from '../failure/index.ts';
import { type Common, durationOption, gatewayOptions, given } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { describeEnd, stateFacts } from './describe-state.ts';

interface GetFlags extends Common {
  readonly wait?: true;
  readonly waitTime?: number;
}

const examples = `
Examples:
  asyncfn get 0198d3a0-7c1e-7000-8000-000000000000
  asyncfn get nap-1 --wait-time 30s
  asyncfn get nap-1 --json | jq .status

With --wait or --wait-time it ends with 1 if the call has not succeeded, and with 5 if it has not ended in time.`;

/** `asyncfn get CALL-ID` */
export function getCommand(session: Session): Command {
  const command = new Command('get')
    .summary('show the state of a call')
    .description('Show the state of a call.')
    .argument('<call-id>', 'the id that `asyncfn call` printed')
    .option('--wait', 'wait until it has ended')
    .option('--wait-time <duration>', 'wait no longer than this', durationOption)
    .addHelpText('after', examples)
    .action(async (callId: string, flags: GetFlags) => showCall(session, callId, flags));
  return gatewayOptions(command);
}

async function showCall(session: Session, callId: string, flags: GetFlags): Promise<void> {
  const { terminal, signal, now } = session;
  const client = await openClient(session, flags);
  const waits = flags.wait === true || flags.waitTime !== undefined;
  const state = waits
    ? await client.wait(callId, given({ signal, timeoutMs: flags.waitTime }))
    : await client.get(callId, { signal });
  if (flags.json) {
    terminal.printJson(state);
  } else {
    terminal.printFacts(stateFacts(state, now()));
  }
  if (waits && !hasEnded(state)) {
    throw new CliError(exitCodes.notEnded, `the call is still ${state.status}`);
  }
  if (waits && state.status !== 'succeeded') {
    throw new CliError(exitCodes.failed, describeEnd(state));
  }
}
