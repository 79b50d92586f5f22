import { createHash } from 'node:crypto';
import { type Call, ownerOf } from '../call/index.ts';

/** A flow key. Two submitters who use the same text have two keys, and so have two functions. */
export interface FlowKey {
  readonly function: string;
  /** Name of the token that its calls were submitted with; absent if the gateway requires none. */
  readonly submitter?: string | undefined;
  readonly key: string;
}

/** A flow key in a queue: its calls wait there, and its state is stored there. */
export interface FlowPlace extends FlowKey {
  readonly queue: string;
  /** See `flowIdOf`. */
  readonly id: string;
}

/** 16 bytes: two keys never share an id by chance, and a subject stays short. */
const idBytes = 16;

/** Whether `text` can be a flow key: 1 to 128 visible ASCII characters, neither `.` nor `..`, which a URL cannot have. */
export function isFlowKey(text: string): boolean {
  return /^[!-~]{1,128}$/.test(text) && text !== '.' && text !== '..';
}

/** The key as one token of a subject, whatever its characters (P7). */
export function flowIdOf({ function: name, submitter, key }: FlowKey): string {
  const hash = createHash('sha256')
    .update(`${name}\n${ownerOf(submitter)}\n${key}`)
    .digest();
  return hash.subarray(0, idBytes).toString('base64url');
}

/** Where the calls of its key wait; undefined for a call without a key. */
export function flowPlaceOf({
  function: name,
  queue,
  submitter,
  flow,
}: Pick<Call, 'function' | 'queue' | 'submitter' | 'flow'>): FlowPlace | undefined {
  if (flow === undefined) {
    return undefined;
  }
  return flowPlaceIn(queue, { function: name, submitter, key: flow.key });
}

/** Where the calls of a key wait in a queue. */
export function flowPlaceIn(queue: string, { function: name, submitter, key }: FlowKey): FlowPlace {
  const of = { function: name, ...(submitter !== undefined && { submitter }), key };
  return { ...of, queue, id: flowIdOf(of) };
}
