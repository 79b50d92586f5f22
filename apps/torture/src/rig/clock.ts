import { writeFile } from 'node:fs/promises';

/** Setting with the path of the file that holds what the process's clock is off by, in milliseconds. */
export const clockSetting = 'TORTURE_CLOCK';

/** How often a process looks at its file: the longest time between a jump and what it does to a process. */
const lookMs = 20;

/**
 * Source of a module that is loaded into a process before its own code, and lets its wall clock jump: `Date` alone, as
 * when somebody sets the time of a machine. Timers and `performance.now()` go by a monotonic clock, and do not jump.
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

/** Lets the clock of the process that reads the file be off by `ms`, from some milliseconds from now on. */
export async function setClock(file: string, ms: number): Promise<void> {
  await writeFile(file, String(ms));
}
