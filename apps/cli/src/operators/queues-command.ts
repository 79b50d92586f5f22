import type { QueueDetail, QueueState } from '@asyncfn/client';
import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { type Column, confirm, formatBytes, formatCount, formatSeconds } from '../terminal/index.ts';

const examples = `
Examples:
  asyncfn queues
  asyncfn queues show default
  asyncfn queues purge default --yes`;

/** `asyncfn queues` */
export function queuesCommand(session: Session): Command {
  const list = new Command('list')
    .description('List the queues: what waits, and for how long. (This is what `queues` alone does.)')
    .addHelpText('after', examples)
    .action(async (flags: Common) => listQueues(session, flags));
  const show = new Command('show')
    .description('Show a queue, with its functions.')
    .argument('<queue>', 'name of the queue')
    .addHelpText('after', examples)
    .action(async (queue: string, flags: Common) => showQueue(session, queue, flags));
  const purge = new Command('purge')
    .description('Cancel the waiting calls of a queue.')
    .argument('<queue>', 'name of the queue')
    .option('-y, --yes', 'do not ask')
    .addHelpText('after', examples)
    .action(async (queue: string, flags: Common & { yes?: true }) => purgeQueue(session, queue, flags));
  return new Command('queues')
    .summary('list, show and purge queues')
    .description('The queues in which calls wait.')
    .addCommand(gatewayOptions(list), { isDefault: true })
    .addCommand(gatewayOptions(show))
    .addCommand(gatewayOptions(purge));
}

const columns: readonly Column<QueueState>[] = [
  { title: 'queue', of: ({ queue }) => queue },
  { title: 'waiting', of: ({ depth, inFlight }) => Math.max(0, depth - inFlight), align: 'right' },
  { title: 'in flight', of: ({ inFlight }) => inFlight, align: 'right' },
  { title: 'scheduled', of: ({ scheduled }) => scheduled, align: 'right' },
  { title: 'oldest', of: ({ oldestAgeSeconds }) => formatSeconds(oldestAgeSeconds), align: 'right' },
  { title: 'in/s', of: ({ rates }) => rates.inPerSecond, align: 'right' },
  { title: 'out/s', of: ({ rates }) => rates.outPerSecond, align: 'right' },
  { title: 'size', of: ({ bytes }) => formatBytes(bytes), align: 'right' },
  { title: 'durability', of: ({ durability }) => durability.level },
];

async function listQueues(session: Session, flags: Common): Promise<void> {
  const { terminal, signal } = session;
  const queues = await (await openClient(session, flags)).queues.list({ signal });
  if (flags.json) {
    queues.forEach((queue) => {
      terminal.printJson(queue);
    });
  } else {
    terminal.printTable(queues, columns);
  }
}

const functionColumns: readonly Column<QueueDetail['functions'][number]>[] = [
  { title: 'function', of: ({ function: name }) => name },
  { title: 'waiting', of: ({ depth, inFlight }) => Math.max(0, depth - inFlight), align: 'right' },
  { title: 'in flight', of: ({ inFlight }) => inFlight, align: 'right' },
  { title: 'state', of: ({ paused }) => (paused ? 'paused' : undefined) },
];

async function showQueue(session: Session, queue: string, flags: Common): Promise<void> {
  const { terminal, signal } = session;
  const detail = await (await openClient(session, flags)).queues.get(queue, { signal });
  if (flags.json) {
    terminal.printJson(detail);
    return;
  }
  terminal.printTable([detail], columns);
  if (detail.functions.length > 0) {
    terminal.print('');
    terminal.printTable(detail.functions, functionColumns);
  }
}

async function purgeQueue(session: Session, queue: string, flags: Common & { yes?: true }): Promise<void> {
  const { terminal, signal, process } = session;
  const client = await openClient(session, flags);
  await confirm(process, `Cancel all waiting calls of the queue ${queue}?`, flags.yes === true);
  const onProgress = (count: number): void => terminal.hint(`${count} calls cancelled so far`);
  const purged = await client.queues.purge(queue, { signal, onProgress });
  if (flags.json) {
    terminal.printJson({ queue, purged });
  } else {
    terminal.print(`${formatCount(purged, 'call')} cancelled`);
  }
}
