import type { ScheduleSettings } from '@asyncfn/client';
import { Command, Option } from 'commander';
import { usageError } from '../failure/index.ts';
import { type Common, durationTextOption, given } from '../options/index.ts';
import { openClient, type Session } from '../session.ts';
import { parseSettings } from './parse-settings.ts';

interface SetFlags extends Common {
  readonly cron?: string;
  readonly every?: string;
  readonly timeZone?: string;
  readonly path?: string;
  readonly data?: string;
  readonly overlap?: string;
  readonly catchUp?: string;
  readonly catchUpWindow?: string;
  readonly jitter?: string;
  readonly settings?: string;
}

/** `asyncfn schedules set NAME FUNCTION` */
export function setScheduleCommand(session: Session): Command {
  return new Command('set')
    .description('Store a schedule, or replace its settings.')
    .argument('<schedule>', 'name of the schedule')
    .argument('<name>', 'NAME or NAME.NAMESPACE of the function that it calls')
    .option('--cron <moments>', "when: '0 3 * * *', @daily")
    .option('--every <duration>', 'or how often: 10m', durationTextOption)
    .option('--time-zone <zone>', 'of --cron: Europe/Berlin (default: UTC)')
    .option('--path <path>', 'path and query for the function: /daily?full=1')
    .option('-d, --data <text>', 'body of its calls')
    .addOption(new Option('--overlap <how>', 'if the last call has not ended').choices(['allow', 'skip', 'queue']))
    .addOption(new Option('--catch-up <which>', 'moments that are missed').choices(['none', 'latest', 'all']))
    .option('--catch-up-window <duration>', 'how old missed moments may be', durationTextOption)
    .option('--jitter <duration>', 'how much later than its moment a call may come', durationTextOption)
    .option('--settings <json>', 'all other settings: \'{"headers":{"X-Label":"nightly"}}\'')
    .action(async (name: string, called: string, flags: SetFlags) => setOne(session, name, called, flags));
}

async function setOne(session: Session, name: string, called: string, flags: SetFlags): Promise<void> {
  const { terminal, signal } = session;
  const { cron, every, timeZone, path, data: body, overlap, catchUp, catchUpWindow, jitter } = flags;
  const own = given({ cron, every, timeZone, path, body, overlap, catchUp, catchUpWindow, jitter });
  const settings: ScheduleSettings = { ...parseSettings(flags.settings), ...own, function: called };
  if ((settings.cron === undefined) === (settings.every === undefined)) {
    throw usageError('say when: --cron or --every, one of the two');
  }
  const stored = await (await openClient(session, flags)).schedules.put(name, settings, { signal });
  if (flags.json) {
    terminal.printJson(stored);
  } else {
    terminal.print(`${stored.name} is set`);
    terminal.hint(`next: ${stored.next.slice(0, 3).join(', ')}`);
  }
}
