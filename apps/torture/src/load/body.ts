import type { Plan } from '../plan.ts';

/** Larger bodies and responses are stored apart: `OFFLOAD_BYTES` of the processes. */
export const largeBytes = 1_800;

/** The body of a request: each byte says which request it is, but for few with the same. */
export function bodyOf(number: number, { bodyBytes }: Pick<Plan, 'bodyBytes'>): Buffer {
  return Buffer.alloc(bodyBytes, number % 251);
}

/** Whether a body can be that of a request. */
export function hasBodyOf(number: number, body: Buffer): boolean {
  return body.every((byte) => byte === number % 251);
}
