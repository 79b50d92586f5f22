import type { AsyncfnClient, Flow } from '@asyncfn/client';
import { Command } from 'commander';
import { type Common, gatewayOptions, given, integerOption, rateOption } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import type { Column } from '../terminal/index.ts';
import { shown } from './shown.ts';

const examples = `
Examples:
  asyncfn flows --function ledger
  asyncfn flows show ledger order-7
  asyncfn flows pause ledger order-7
  asyncfn flows resume ledger order-7
  asyncfn flows pin ledger order-7 --parallelism 3 --rate 10/1m
  asyncfn flows unpin ledger order-7`;

interface ListFlags extends Common {
  readonly function?: string;
  readonly limit: number;
}

interface OneFlags extends Common {
  readonly submitter?: string;
}

interface PinFlags extends OneFlags {
  readonly parallelism?: number;
  readonly rate?: string;
}

/** What a command about one key is about. */
interface One<Flags extends OneFlags> {
  readonly client: AsyncfnClient;
  readonly name: string;
  readonly key: string;
  readonly flags: Flags;
  /** For the client. */
  readonly options: { readonly submitter?: string; readonly signal: AbortSignal };
}

/** `asyncfn flows` */
export function flowsCommand(session: Session): Command {
  const list = new Command('list')
    .description('List the flow keys that have calls, or are paused or pinned. (This is what `flows` alone does.)')
    .option('--function <name>', 'of this function')
    .option('--limit <number>', 'at most so many', integerOption(1, 1_000_000), 50)
    .action(async (flags: ListFlags) => listFlows(session, flags));
  const show = ofOne('show', 'Show a flow key: its calls and its limits.', async ({ client, name, key, options }) => {
    return client.flows.get(name, key, options);
  });
  const pause = ofOne('pause', 'Begin no further call of a key.', ({ client, name, key, options }) =>
    client.flows.pause(name, key, options),
  );
  const resume = ofOne('resume', 'End a pause.', ({ client, name, key, options }) =>
    client.flows.resume(name, key, options),
  );
  const pin = ofOne<PinFlags>('pin', 'Set the limits of a key.', ({ client, name, key, flags, options }) =>
    client.flows.pin(name, key, given({ parallelism: flags.parallelism, rate: flags.rate }), options),
  )
    .option('--parallelism <number>', 'how many of its calls may run at once', integerOption(1, 1_000))
    .option('--rate <rate>', 'how many of its calls in a time, such as 10/1m', rateOption);
  const unpin = ofOne('unpin', 'End a pin.', async ({ client, name, key, options }) => {
    await client.flows.unpin(name, key, options);
    return client.flows.get(name, key, options);
  });
  const command = new Command('flows')
    .summary('list, pause, resume, pin and unpin flow keys')
    .description('The keys of calls that were sent with X-Flow-Key.');
  for (const child of [list, show, pause, resume, pin, unpin]) {
    command.addCommand(gatewayOptions(child).addHelpText('after', examples), { isDefault: child === list });
  }
  return command;

  function ofOne<Flags extends OneFlags = OneFlags>(
    action: string,
    description: string,
    run: (one: One<Flags>) => Promise<Flow>,
  ): Command {
    return new Command(action)
      .description(description)
      .argument('<function>', 'name of the function')
      .argument('<key>', 'the flow key')
      .option('--submitter <token>', 'name of the token that has the key, if several have it')
      .action(async (name: string, key: string, flags: Flags) => {
        const client = await openClient(session, flags);
        const options = { ...given({ submitter: flags.submitter }), signal: session.signal };
        print(session, flags, await run({ client, name, key, flags, options }));
      });
  }
}

const columns: readonly Column<Flow>[] = [
  { title: 'function', of: ({ function: name }) => name },
  { title: 'key', of: ({ key }) => key, isFlexible: true },
  { title: 'token', of: ({ submitter }) => submitter },
  { title: 'waiting', of: ({ waiting }) => waiting, align: 'right' },
  { title: 'running', of: ({ running }) => running, align: 'right' },
  { title: 'at once', of: ({ parallelism }) => parallelism, align: 'right' },
  { title: 'rate', of: ({ rate }) => rate ?? undefined, align: 'right' },
  { title: 'state', of: stateOf },
];

function stateOf({ paused, pinned }: Flow): string {
  return [paused ? 'paused' : 'active', ...(pinned ? ['pinned'] : [])].join(', ');
}

function print({ terminal }: Session, { json }: Common, flow: Flow): void {
  if (json) {
    terminal.printJson(flow);
  } else {
    terminal.printFacts(Object.entries(flow).map(([name, value]) => [name, shown(value)] as const));
  }
}

async function listFlows(session: Session, flags: ListFlags): Promise<void> {
  const { terminal, signal } = session;
  const client = await openClient(session, flags);
  const { function: name, limit } = flags;
  const flows: Flow[] = [];
  for await (const flow of client.flows.list(given({ function: name, limit: Math.min(limit, 1_000) }), { signal })) {
    if (flows.length === limit) {
      terminal.say(`there are more than ${limit}: --limit shows more`);
      break;
    }
    flows.push(flow);
    if (flags.json) {
      terminal.printJson(flow);
    }
  }
  if (flows.length === 0) {
    terminal.hint('no flow key has calls: send them with the header X-Flow-Key');
  } else if (!flags.json) {
    terminal.printTable(flows, columns);
  }
}
