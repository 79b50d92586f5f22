import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AppProcess, Stack } from '@asyncfn/stack';

/** Where a worker dies. */
export interface Fault {
  /** A step of settling, as the worker names it. */
  readonly step: string;
  readonly callId: string;
}

const main = new URL('./faulty-worker.mjs', import.meta.url);

/** Starts a worker that dies at the fault, if it is armed by then. */
export async function startFaultyWorker(stack: Stack, fault: Fault): Promise<AppProcess> {
  const env = { FAULT_STEP: fault.step, FAULT_CALL_ID: fault.callId, FAULT_FILE: fileOf(stack, fault) };
  const worker = await stack.spawn('worker', env, main);
  await worker.untilReady();
  return worker;
}

/** The next worker that comes to the fault dies there; those after it go on. */
export async function armFault(stack: Stack, fault: Fault): Promise<void> {
  await writeFile(fileOf(stack, fault), '');
}

function fileOf({ folder }: Stack, { step, callId }: Fault): string {
  return join(folder, `${step} ${callId}`);
}
