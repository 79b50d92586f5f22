import { runProgram } from '../processes/index.ts';

export interface FillSettings {
  readonly natsUrl: string;
  readonly function: string;
  readonly bodyBytes: number;
  /** Number of the first call: see `numberedCallId`. */
  readonly from: number;
  readonly count: number;
}

/**
 * Puts calls into the default queue as a gateway does, without HTTP. Resolves when the broker has confirmed them all.
 */
export async function fillQueue(settings: FillSettings): Promise<void> {
  await runProgram<object>(new URL('../references/fill-main.js', import.meta.url), settings);
}

/**
 * The id of the call with this number. Like the ids that gateways make, it has a fixed length and sorts by its number.
 */
export function numberedCallId(number: number): string {
  return `01900000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`;
}
