import { Compile } from 'typebox/compile';
import { type Call, CallEnvelope } from './call.ts';

/** The one header of ours on a message of a CALLS stream. */
export const callHeader = 'Asyncfn-Call';

const envelope = Compile(CallEnvelope);

/** The result of decoding a message as a call. */
export type DecodedCall =
  | { readonly kind: 'call'; readonly call: Call }
  | { readonly kind: 'undecodable'; readonly problem: string };

/** Encodes a call without its body as the value of `callHeader`. The body travels raw, as the message's payload. */
export function encodeEnvelope(call: Call): string {
  // JSON escapes every control character, so no header value of a client can end ours (P7). Fields that a later version
  // has added stay: a worker of an earlier version passes them on with a retry.
  return JSON.stringify({ v: call.bodyObject === undefined ? 1 : 2, ...call, body: undefined });
}

/** The reverse of `encodeEnvelope`. Never throws: any client of the broker can put anything on a stream. */
export function decodeCall(header: string, body: Uint8Array): DecodedCall {
  let parsed: unknown;
  try {
    parsed = JSON.parse(header);
  } catch {
    return { kind: 'undecodable', problem: header === '' ? `no ${callHeader} header` : `${callHeader} is not JSON` };
  }
  if (!envelope.Check(parsed)) {
    return { kind: 'undecodable', problem: describe(parsed) };
  }
  const { v: _, ...rest } = parsed;
  // In place, because a second copy of an object with so many fields takes longer (1 µs) than parsing it.
  return { kind: 'call', call: Object.assign(rest, { body }) };
}

/** Names the fields that are wrong, never their values (P9). */
function describe(parsed: unknown): string {
  const fields = envelope.Errors(parsed).map((error) => `${error.instancePath || '/'} ${error.message}`);
  return `${callHeader} has a wrong shape: ${[...new Set(fields)].join('; ')}`;
}
