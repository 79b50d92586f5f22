import type { RegisteredFunction } from '@asyncfn/client';
import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { type Column, confirm, formatCount } from '../terminal/index.ts';
import { setCommand } from './set-function-command.ts';
import { shown } from './shown.ts';

const examples = `
Examples:
  asyncfn functions
  asyncfn functions set thumbnail http://thumbnail:8080 --concurrency 50 --timeout 15m
  asyncfn functions pause thumbnail
  asyncfn functions purge thumbnail --yes`;

/** `asyncfn functions` */
export function functionsCommand(session: Session): Command {
  const functions = new Command('functions')
    .summary('list, set, pause, resume, purge and remove functions')
    .description('The register of functions. A change is live in every process within 2 s.');
  const list = new Command('list')
    .description('List the functions. (This is what `functions` alone does.)')
    .action(async (flags: Common) => listFunctions(session, flags));
  functions.addCommand(finish(list), { isDefault: true });
  functions.addCommand(finish(ofOne('show', 'Show the settings of a function.', showOne)));
  functions.addCommand(finish(setCommand(session)));
  functions.addCommand(
    finish(ofOne('pause', 'Begin no call of a function until it is resumed; new calls wait.', pause)),
  );
  functions.addCommand(finish(ofOne('resume', 'End a pause.', resume)));
  functions.addCommand(finish(ofOne('purge', 'Cancel the waiting calls of a function.', purge).option(...yes)));
  const remove = ofOne(
    'remove',
    'Remove a function; of a function in the functions file, what was set here.',
    removeOne,
  );
  functions.addCommand(finish(remove.option('--purge', 'cancel its waiting calls first').option(...yes)));
  return functions;

  function finish(command: Command): Command {
    return gatewayOptions(command).addHelpText('after', examples);
  }

  function ofOne(action: string, description: string, run: typeof showOne): Command {
    return new Command(action)
      .description(description)
      .argument('<name>', 'NAME or NAME.NAMESPACE of the function')
      .action(async (name: string, flags: OneFlags) => run(session, name, flags));
  }
}

const yes = ['-y, --yes', 'do not ask'] as const;

interface OneFlags extends Common {
  readonly yes?: true;
  readonly purge?: true;
}

const columns: readonly Column<RegisteredFunction>[] = [
  { title: 'function', of: ({ name }) => name },
  { title: 'queue', of: ({ queue }) => queue },
  { title: 'state', of: ({ paused }) => (paused === true ? 'paused' : 'active') },
  { title: 'concurrency', of: ({ concurrency }) => shown(concurrency), align: 'right' },
  { title: 'timeout', of: ({ timeout }) => shown(timeout), align: 'right' },
  { title: 'from', of: ({ source }) => shown(source) },
  { title: 'url', of: ({ url }) => url, isFlexible: true },
];

async function listFunctions(session: Session, flags: Common): Promise<void> {
  const { terminal, signal } = session;
  const functions = await (await openClient(session, flags)).functions.list({ signal });
  if (flags.json) {
    functions.forEach((one) => {
      terminal.printJson(one);
    });
  } else if (functions.length === 0) {
    terminal.hint('no function is registered: asyncfn functions set NAME URL');
  } else {
    terminal.printTable(functions, columns);
  }
}

async function showOne(session: Session, name: string, flags: OneFlags): Promise<void> {
  const { terminal, signal } = session;
  const found = await (await openClient(session, flags)).functions.get(name, { signal });
  if (flags.json) {
    terminal.printJson(found);
  } else {
    terminal.printFacts(Object.entries(found).map(([key, value]) => [key, shown(value)] as const));
  }
}

async function pause(session: Session, name: string, flags: OneFlags): Promise<void> {
  const found = await (await openClient(session, flags)).functions.pause(name, { signal: session.signal });
  report(session, flags, found, `${found.name} is paused`);
}

async function resume(session: Session, name: string, flags: OneFlags): Promise<void> {
  const found = await (await openClient(session, flags)).functions.resume(name, { signal: session.signal });
  report(session, flags, found, `${found.name} is active`);
}

async function purge(session: Session, name: string, flags: OneFlags): Promise<void> {
  const { terminal, signal, process } = session;
  const client = await openClient(session, flags);
  await confirm(process, `Cancel all waiting calls of ${name}?`, flags.yes === true);
  const onProgress = (count: number): void => terminal.hint(`${count} calls cancelled so far`);
  const purged = await client.functions.purge(name, { signal, onProgress });
  report(session, flags, { function: name, purged }, `${formatCount(purged, 'call')} cancelled`);
}

async function removeOne(session: Session, name: string, flags: OneFlags): Promise<void> {
  const { signal, process } = session;
  const client = await openClient(session, flags);
  const question = flags.purge ? `Cancel all waiting calls of ${name}, and remove it?` : `Remove ${name}?`;
  await confirm(process, question, flags.yes === true);
  await client.functions.remove(name, { signal, purge: flags.purge === true });
  report(session, flags, { function: name, removed: true }, `${name} is removed`);
}

function report({ terminal }: Session, { json }: Common, document: unknown, sentence: string): void {
  if (json) {
    terminal.printJson(document);
  } else {
    terminal.print(sentence);
  }
}
