import type { CallEvent, MissedEvents } from '@asyncfn/client';
import { formatDuration } from '@asyncfn/units';
import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { toPrintable } from '../terminal/index.ts';

interface TailFlags extends Common {
  readonly function?: string;
}

const examples = `
Examples:
  asyncfn tail
  asyncfn tail --function thumbnail
  asyncfn tail --json | jq 'select(.type == "ended") | .call.status'

It prints what happens to calls from now on, until Ctrl-C. Under load the gateway leaves events out, and says how many.`;

/** `asyncfn tail` */
export function tailCommand(session: Session): Command {
  const command = new Command('tail')
    .summary('follow what happens to calls')
    .description('Follow what happens to calls: accepted, started, attempts, ends and callbacks.')
    .option('--function <name>', 'calls of this function')
    .addHelpText('after', examples)
    .action(async (flags: TailFlags) => followCalls(session, flags));
  return gatewayOptions(command);
}

async function followCalls(session: Session, flags: TailFlags): Promise<void> {
  const { terminal, signal, now } = session;
  const client = await openClient(session, flags);
  const options = flags.function === undefined ? { signal } : { signal, function: flags.function };
  terminal.hint('waiting for events; Ctrl-C ends');
  for await (const event of client.events(options)) {
    if (flags.json) {
      terminal.printJson(event);
      continue;
    }
    const time = terminal.paint('dim', new Date(now()).toTimeString().slice(0, 8));
    terminal.print(`${time} ${toPrintable(describe(event))}`);
  }
}

function describe(event: CallEvent | MissedEvents): string {
  if (event.type === 'missed') {
    const { missed, reason } = event;
    return `missed    ${missed ?? 'some'} events${reason === undefined ? '' : ` (${reason})`}`;
  }
  const { type, call } = event;
  const facts = [call.callId, call.function, ...factsOf(event)];
  return `${type.padEnd(9)} ${facts.filter((fact) => fact !== '').join('  ')}`;
}

function factsOf({ type, call, attempt }: CallEvent): string[] {
  const took = attempt?.durationMs === undefined ? '' : formatDuration(attempt.durationMs);
  switch (type) {
    case 'accepted':
      return [call.status, (call.labels ?? []).join(' ')];
    case 'started':
      return [`attempt ${attempt?.attempt ?? call.attempts}`];
    case 'attempt':
      return [String(attempt?.verdict ?? ''), String(attempt?.status ?? attempt?.error ?? ''), took];
    case 'ended':
      return [call.status, call.reason ?? '', call.functionStatus === undefined ? '' : String(call.functionStatus)];
    case 'callback':
      return [call.callback?.status ?? '', call.callback?.url ?? ''];
  }
}
