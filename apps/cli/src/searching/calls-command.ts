import { setTimeout as sleep } from 'node:timers/promises';
import type { AsyncfnClient, CallFilter, CallState } from '@asyncfn/client';
import { Command, Option } from 'commander';
import { usageError } from '../failure/index.ts';
import { type Common, collect, gatewayOptions, given, integerOption, momentOption } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { renderTable } from '../terminal/index.ts';
import { callColumns } from './call-columns.ts';

interface CallsFlags extends Common {
  readonly function?: string;
  readonly queue?: string;
  readonly status?: NonNullable<CallFilter['status']>;
  readonly label?: string;
  readonly flowKey?: string;
  readonly parent?: string;
  readonly batch?: string;
  readonly from?: string;
  readonly to?: string;
  readonly limit: number;
  readonly watch?: true;
}

const statuses = ['scheduled', 'queued', 'running', 'retrying', 'succeeded', 'failed', 'cancelled', 'expired'];

const examples = `
Examples:
  asyncfn calls
  asyncfn calls --function thumbnail --status failed --status expired
  asyncfn calls --label customer=7 --from 1h
  asyncfn calls --watch
  asyncfn calls --status queued --limit 10000 --json | jq -r .callId

Finds calls that live or have ended lately (RESULT_TTL), newest first. All filters must match.`;

/** `asyncfn calls` */
export function callsCommand(session: Session): Command {
  const command = new Command('calls')
    .summary('find calls')
    .description('Find calls, newest first.')
    .option('--function <name>', 'calls of this function')
    .option('--queue <queue>', 'calls in this queue')
    .addOption(
      new Option('--status <status>', 'calls in this state; repeatable').choices(statuses).argParser(toStatuses),
    )
    .option('--label <label>', 'calls with this label')
    .option('--flow-key <key>', 'calls with this flow key')
    .option('--parent <call-id>', 'calls that follow this one')
    .option('--batch <batch-id>', 'calls of this batch')
    .option('--from <time>', 'accepted since then: 2030-01-31T08:00:00Z, or 1h for an hour ago', momentOption)
    .option('--to <time>', 'accepted before then', momentOption)
    .option('--limit <number>', 'at most so many', integerOption(1, 1_000_000), 50)
    .option('--watch', 'show them again every two seconds, until Ctrl-C')
    .addHelpText('after', examples)
    .action(async (flags: CallsFlags) => (flags.watch ? watchCalls(session, flags) : listCalls(session, flags)));
  return gatewayOptions(command);
}

/** commander checks choices only if it parses the option itself. */
function toStatuses(text: string, before: readonly string[] = []): string[] {
  if (!statuses.includes(text)) {
    throw usageError(`--status: ${JSON.stringify(text)} is none; write one of ${statuses.join(', ')}`);
  }
  return collect(text, before);
}

async function listCalls(session: Session, flags: CallsFlags): Promise<void> {
  const { terminal, now } = session;
  const client = await openClient(session, flags);
  const { calls, isComplete } = await find(client, session, flags, (call) => {
    if (flags.json) {
      terminal.printJson(call);
    }
  });
  if (!flags.json && calls.length > 0) {
    terminal.printTable(calls, callColumns(now()));
  } else if (calls.length === 0) {
    terminal.hint('no call matches');
  }
  if (!isComplete) {
    terminal.say('the search was cut short: there may be more; narrow it with --from, --function or --queue');
  }
}

interface Found {
  readonly calls: CallState[];
  readonly isComplete: boolean;
}

const pageSize = 1_000;

/** The first `limit` calls, page by page. */
async function find(
  client: AsyncfnClient,
  { signal, terminal }: Session,
  flags: CallsFlags,
  onCall: (call: CallState) => void = () => {},
): Promise<Found> {
  const filter = toFilter(flags);
  const calls: CallState[] = [];
  for (let cursor: string | undefined; ; ) {
    const limit = Math.min(pageSize, flags.limit - calls.length);
    const page = await client.callsPage(given({ ...filter, limit, cursor }), { signal });
    page.calls.forEach(onCall);
    calls.push(...page.calls);
    cursor = page.cursor;
    if (cursor === undefined || calls.length >= flags.limit) {
      return { calls, isComplete: page.complete };
    }
    terminal.hint(`${calls.length} calls so far`);
  }
}

const pauseMs = 2_000;
const clearScreen = '\x1b[2J\x1b[H';

/** Shows as many calls as the terminal has lines, again and again. */
async function watchCalls(session: Session, flags: CallsFlags): Promise<void> {
  const { terminal, signal, now, process } = session;
  if (!terminal.isTerminal || flags.json) {
    throw usageError('--watch is for terminals; `asyncfn tail --json` prints what happens to calls for programs');
  }
  const client = await openClient(session, flags);
  for (;;) {
    const rows = Math.max(1, (process.stdout.rows || 24) - 3);
    const { calls } = await find(client, session, { ...flags, limit: Math.min(rows, flags.limit) });
    const lines = calls.length === 0 ? ['no call matches'] : renderTable(calls, callColumns(now()), terminal.width);
    const head = terminal.paint('dim', `asyncfn calls, ${new Date(now()).toTimeString().slice(0, 8)}; Ctrl-C ends`);
    terminal.write(`${clearScreen}${[head, ...lines].join('\n')}\n`);
    await sleep(pauseMs, undefined, { signal });
  }
}

function toFilter({ function: name, queue, status, label, flowKey, parent, batch, from, to }: CallsFlags): CallFilter {
  return given({ function: name, queue, status, label, flowKey, parent, batch, from, to });
}
