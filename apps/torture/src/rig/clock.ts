import { writeFile } from 'node:fs/promises';

/** Setting with the path of the file that says how far the process's clock is off, in milliseconds. */
export const clockSetting = 'TORTURE_CLOCK';

/** How often a process reads its file: the longest time between a jump and its effect. */
const lookMs = 20;

/**
 * Source of a module that is loaded into a process before its own code and lets its wall clock jump: only `Date`, as
 * when an administrator sets the time of a machine. Timers and `performance.now()` use a monotonic clock and do not
 * jump.
 */
export const clockModule = `
import { readFileSync } from 'node:fs';
const RealDate = Date;
const realNow = RealDate.now;
let offMs = 0;
const now = () => realNow() + offMs;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, args, of) => Reflect.construct(target, args.length > 0 ? args : [now()], of),
  apply: () => new RealDate(now()).toString(),
});
RealDate.now = now;
const look = () => {
  try {
    offMs = Number(readFileSync(process.env.${clockSetting}, 'utf8'));
  } catch {
    offMs = 0;
  }
};
setInterval(look, ${lookMs}).unref();
look();
`;

/** Sets the clock of the process that reads the file off by `ms`, within a few milliseconds. */
export async function setClock(file: string, ms: number): Promise<void> {
  await writeFile(file, String(ms));
}
