import type { DeadLetter, DeadLetterFilter } from '@asyncfn/client';
import { Command, Option } from 'commander';
import { type Common, gatewayOptions, given, integerOption } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { type Column, confirm, formatAge } from '../terminal/index.ts';
import { replayDeadLetters } from './replay-dead-letters.ts';
import { showDeadLetter } from './show-dead-letter.ts';

/** Which dead letters a command is about. */
interface FilterFlags extends Common {
  readonly function?: string;
  readonly queue?: string;
  readonly reason?: DeadLetterFilter['reason'];
  readonly kind?: DeadLetterFilter['kind'];
}

interface ListFlags extends FilterFlags {
  readonly limit: number;
}

interface OneFlags extends Common {
  readonly kind?: 'call' | 'callback';
  readonly yes?: true;
}

const examples = `
Examples:
  asyncfn dead-letters --function thumbnail
  asyncfn dead-letters show 0198d3a0-7c1e-7000-8000-000000000000
  asyncfn dead-letters replay 0198d3a0-7c1e-7000-8000-000000000000
  asyncfn dead-letters replay --all --function thumbnail --reason retries_exhausted
  asyncfn dead-letters drop 0198d3a0-7c1e-7000-8000-000000000000 --yes`;

/** `asyncfn dead-letters` */
export function deadLettersCommand(session: Session): Command {
  const list = filtered(new Command('list'))
    .description('List failed calls and callbacks, oldest first. (This is what `dead-letters` alone does.)')
    .option('--limit <number>', 'at most so many', integerOption(1, 1_000_000), 50)
    .action(async (flags: ListFlags) => listLetters(session, flags));
  const show = new Command('show')
    .description('Show one, with its attempts.')
    .argument('<call-id>', 'id of the call')
    .addOption(kindOption())
    .action(async (callId: string, flags: OneFlags) => showDeadLetter(session, callId, flags));
  const replay = filtered(new Command('replay'))
    .description('Put failed calls back into their queues, with a fresh retry budget.')
    .argument('[call-id...]', 'ids of calls')
    .option('--all', 'all that the filters select, instead of ids')
    .option('--limit <number>', 'with --all: at most so many', integerOption(1, 1_000_000_000))
    .action(async (callIds: string[], flags) => replayDeadLetters(session, callIds, flags));
  const drop = new Command('drop')
    .description('Drop dead letters for good.')
    .argument('<call-id...>', 'ids of calls')
    .addOption(kindOption())
    .option('-y, --yes', 'do not ask')
    .action(async (callIds: string[], flags: OneFlags) => dropLetters(session, callIds, flags));
  const command = new Command('dead-letters')
    .summary('list, show, replay and drop failed calls')
    .description('Calls and callbacks that failed for good.');
  for (const child of [list, show, replay, drop]) {
    command.addCommand(gatewayOptions(child).addHelpText('after', examples), { isDefault: child === list });
  }
  return command;
}

/** Those of the API: the type has it that none is missing. */
const reasons = Object.keys({
  retries_exhausted: true,
  rejected: true,
  non_retryable: true,
  expired: true,
  response_too_large: true,
  bad_response: true,
  unknown_function: true,
  undecodable: true,
  worker_crash: true,
  too_large: true,
  callback_undeliverable: true,
} satisfies Record<NonNullable<DeadLetterFilter['reason']>, true>);

function kindOption(): Option {
  return new Option('--kind <kind>', 'a call, or its callback').choices(['call', 'callback']);
}

function filtered(command: Command): Command {
  return command
    .option('--function <name>', 'of this function')
    .option('--queue <queue>', 'of this queue')
    .addOption(new Option('--reason <reason>', 'that failed for this reason').choices(reasons))
    .addOption(kindOption());
}

function columns(nowMs: number): Column<DeadLetter>[] {
  return [
    { title: 'call', of: ({ callId }) => callId },
    { title: 'kind', of: ({ kind }) => kind },
    { title: 'function', of: ({ function: name }) => name, isFlexible: true },
    { title: 'reason', of: ({ reason }) => reason },
    { title: 'answer', of: ({ lastStatus }) => lastStatus, align: 'right' },
    { title: 'tries', of: ({ attempts }) => attempts, align: 'right' },
    { title: 'ended', of: ({ endedAt }) => formatAge(endedAt, nowMs), align: 'right' },
    { title: 'labels', of: ({ labels }) => labels?.join(' '), isFlexible: true },
  ];
}

async function listLetters(session: Session, flags: ListFlags): Promise<void> {
  const { terminal, signal, now } = session;
  const client = await openClient(session, flags);
  const { function: name, queue, reason, kind, limit } = flags;
  const filter = given({ function: name, queue, reason, kind, limit: Math.min(limit, 1_000) });
  const letters: DeadLetter[] = [];
  for await (const letter of client.deadLetters.list(filter, { signal })) {
    if (letters.length === limit) {
      terminal.say(`there are more than ${limit}: --limit shows more`);
      break;
    }
    letters.push(letter);
    if (flags.json) {
      terminal.printJson(letter);
    }
  }
  if (letters.length === 0) {
    terminal.hint('no dead letter matches');
  } else if (!flags.json) {
    terminal.printTable(letters, columns(now()));
  }
}

async function dropLetters(session: Session, callIds: readonly string[], flags: OneFlags): Promise<void> {
  const { terminal, signal, process } = session;
  const client = await openClient(session, flags);
  await confirm(process, callIds.length === 1 ? 'Drop it?' : `Drop all ${callIds.length}?`, flags.yes === true);
  for (const callId of callIds) {
    await client.deadLetters.drop(callId, given({ signal, kind: flags.kind }));
    if (flags.json) {
      terminal.printJson({ callId, dropped: true });
    } else {
      terminal.print(`${callId} dropped`);
    }
  }
}
