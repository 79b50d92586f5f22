import type { AsyncfnClient, Schedule, ScheduleDetail } from '@asyncfn/client';
import { Command } from 'commander';
import { type Common, gatewayOptions } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { type Column, confirm, formatAge, formatUntil } from '../terminal/index.ts';
import { setScheduleCommand } from './set-schedule-command.ts';
import { shown } from './shown.ts';

const examples = `
Examples:
  asyncfn schedules
  asyncfn schedules set nightly report --cron '0 3 * * *' --time-zone Europe/Berlin
  asyncfn schedules set poll report --every 10m --overlap skip
  asyncfn schedules trigger nightly
  asyncfn schedules pause nightly`;

interface OneFlags extends Common {
  readonly yes?: true;
}

/** `asyncfn schedules` */
export function schedulesCommand(session: Session): Command {
  const list = new Command('list')
    .description('List the schedules. (This is what `schedules` alone does.)')
    .action(async (flags: Common) => listSchedules(session, flags));
  const show = ofOne('show', 'Show a schedule: its settings, its next moments, its last calls.', showOne);
  const pause = ofOne('pause', 'Make no calls until it is resumed.', (client, { signal }, name) =>
    client.schedules.pause(name, { signal }).then((schedule) => [schedule, `${name} is paused`]),
  );
  const resume = ofOne('resume', 'End a pause, with the first moment from now on.', (client, { signal }, name) =>
    client.schedules.resume(name, { signal }).then((schedule) => [schedule, `${name} is active`]),
  );
  const trigger = ofOne('trigger', 'Make one call now, and print its id.', (client, { signal }, name) =>
    client.schedules.trigger(name, { signal }).then((call) => [call, call.callId]),
  );
  const remove = ofOne('remove', 'Remove a schedule. Calls that it has made stay.', removeOne);
  const command = new Command('schedules')
    .summary('list, set, pause, resume, trigger and remove schedules')
    .description('What calls functions at fixed times or in fixed intervals.');
  const children = [
    list,
    show,
    setScheduleCommand(session),
    pause,
    resume,
    trigger,
    remove.option('-y, --yes', 'do not ask'),
  ];
  for (const child of children) {
    command.addCommand(gatewayOptions(child).addHelpText('after', examples), { isDefault: child === list });
  }
  return command;

  function ofOne(action: string, description: string, run: RunOne): Command {
    return new Command(action)
      .description(description)
      .argument('<schedule>', 'name of the schedule')
      .action(async (name: string, flags: OneFlags) => {
        const client = await openClient(session, flags);
        const done = await run(client, session, name, flags);
        if (done !== undefined) {
          const [document, sentence] = done;
          report(session, flags, document, sentence);
        }
      });
  }
}

/** Returns the document for programs and the sentence for people; nothing if it has printed them itself. */
type RunOne = (
  client: AsyncfnClient,
  session: Session,
  name: string,
  flags: OneFlags,
) => Promise<readonly [document: unknown, sentence: string] | undefined>;

function report({ terminal }: Session, { json }: Common, document: unknown, sentence: string): void {
  if (json) {
    terminal.printJson(document);
  } else {
    terminal.print(sentence);
  }
}

function columns(nowMs: number): Column<Schedule>[] {
  return [
    { title: 'schedule', of: ({ name }) => name },
    { title: 'function', of: ({ function: name }) => name },
    { title: 'when', of: whenOf, isFlexible: true },
    { title: 'state', of: ({ paused }) => (paused ? 'paused' : 'active') },
    {
      title: 'next',
      of: ({ next: [first] }) => (typeof first === 'string' ? formatUntil(first, nowMs) : undefined),
      align: 'right',
    },
    { title: 'from', of: ({ source }) => shown(source) },
  ];
}

function whenOf({ cron, every, timeZone }: Schedule): string {
  return every === undefined ? `${cron} ${timeZone ?? 'UTC'}` : `every ${every}`;
}

async function listSchedules(session: Session, flags: Common): Promise<void> {
  const { terminal, signal, now } = session;
  const schedules = await (await openClient(session, flags)).schedules.list({ signal });
  if (flags.json) {
    for (const schedule of schedules) {
      terminal.printJson(schedule);
    }
  } else if (schedules.length === 0) {
    terminal.hint('there is no schedule: asyncfn schedules set NAME FUNCTION --every 10m');
  } else {
    terminal.printTable(schedules, columns(now()));
  }
}

async function showOne(client: AsyncfnClient, session: Session, name: string, flags: OneFlags): Promise<undefined> {
  const { terminal, signal, now } = session;
  const schedule = await client.schedules.get(name, { signal });
  if (flags.json) {
    terminal.printJson(schedule);
    return;
  }
  const { next, last, ...settings } = schedule;
  terminal.printFacts([
    ...Object.entries(settings).map(([key, value]) => [key, shown(value)] as const),
    ...next.map((at) => ['next', `${at} (${formatUntil(String(at), now())})`] as const),
    ...lastCalls(last, now()),
  ]);
}

function lastCalls(last: ScheduleDetail['last'], nowMs: number): (readonly [string, string])[] {
  return (last as { at: string; callId: string }[]).map(({ at, callId }) => [
    'last',
    `${callId} (${formatAge(at, nowMs)})`,
  ]);
}

async function removeOne(client: AsyncfnClient, { process, signal }: Session, name: string, { yes }: OneFlags) {
  await confirm(process, `Remove the schedule ${name}?`, yes === true);
  await client.schedules.remove(name, { signal });
  return [{ schedule: name, removed: true }, `${name} is removed`] as const;
}
