import type { Progress } from './download.ts';

const MIB = 1024 * 1024;
/** Without a known size: one line for each of these. */
const STEP_BYTES = 4 * MIB;

/** Turns progress into a line for each tenth of a download: `12.3 of 61.5 MiB (20 %)`. */
export function createProgressLog(log: (line: string) => void): (progress: Progress) => void {
  let lastStep = 0;
  return ({ receivedBytes, totalBytes }) => {
    const step = Math.floor(totalBytes === undefined ? receivedBytes / STEP_BYTES : (10 * receivedBytes) / totalBytes);
    if (step === lastStep) {
      return;
    }
    lastStep = step;
    const received = (receivedBytes / MIB).toFixed(1);
    if (totalBytes === undefined) {
      log(`${received} MiB`);
    } else {
      log(`${received} of ${(totalBytes / MIB).toFixed(1)} MiB (${step * 10} %)`);
    }
  };
}
