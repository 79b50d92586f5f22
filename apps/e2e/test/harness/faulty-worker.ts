import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppProcess, Stack } from '@asyncfn/stack';

/** The steps at which a worker dies. */
export interface Fault {
  /** A step of settling, as the worker names it. */
  readonly step: string;
  readonly callId: string;
}

const main = new URL('./faulty-worker.mjs', import.meta.url);

/** Starts a worker that dies at each fault that is armed. */
export async function startFaultyWorker(stack: Stack): Promise<AppProcess> {
  const worker = await stack.spawn('worker', { FAULT_FOLDER: stack.folder }, main);
  await worker.untilReady();
  return worker;
}

/** The next faulty worker that gets there dies; those after it go on. */
export async function armFault(stack: Stack, fault: Fault): Promise<void> {
  await writeFile(fileOf(stack, fault), '');
}

function fileOf({ folder }: Stack, { step, callId }: Fault): string {
  return join(folder, `${step} ${callId}`);
}
