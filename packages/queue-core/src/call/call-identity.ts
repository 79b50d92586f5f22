import { Type } from 'typebox';

/**
 * What identifies a call. The id alone does not: callers choose ids, two of them may choose the same, and one may reuse
 * its own when the first call is forgotten.
 */
export interface CallIdentity {
  readonly callId: string;
  /** Name of the token that the call was submitted with; absent if the gateway requires none. */
  readonly submitter?: string;
  /** When it was accepted: Unix time in nanoseconds, decimal. */
  readonly startTime: string;
}

/** What a request knows of a call. */
export interface CallAddress {
  readonly callId: string;
  /** The owner, as `ownerOf` returns it. Default: any. */
  readonly owner?: string | undefined;
  /** Default: any; of several calls the newest counts. */
  readonly startTime?: string | undefined;
}

export const callIdPattern = /^[A-Za-z0-9_-]{1,128}$/;
export const submitterPattern = /^[A-Za-z0-9._-]{1,63}$/;
export const startTimePattern = /^[0-9]{1,20}$/;

/** The identity in a record: see `CallIdentity`. */
export const identityFields = {
  callId: Type.String({ pattern: callIdPattern.source }),
  submitter: Type.Optional(Type.String({ pattern: submitterPattern.source })),
  startTime: Type.String({ pattern: startTimePattern.source }),
} as const;

/** The subject token for "no submitter". Names of tokens cannot contain it, nor `=`, which stands for a dot in them. */
const noSubmitter = '~';
const ownerPattern = /^(~|[A-Za-z0-9=_-]{1,63})$/;

/** The names of these fields in an envelope: see `CallEnvelope`. */
interface NamedCall extends Omit<CallIdentity, 'callId'> {
  readonly id: string;
}

/** Whether `text` can be a call id: `[A-Za-z0-9_-]{1,128}`. No dot, so that it is one token of a subject (P7). */
export function isCallId(text: string): boolean {
  return callIdPattern.test(text);
}

export function identityOf({ id, submitter, startTime }: NamedCall): CallIdentity {
  return toIdentity(id, submitter, startTime);
}

/** The identity in a record with more fields. */
export function identityIn({ callId, submitter, startTime }: CallIdentity): CallIdentity {
  return toIdentity(callId, submitter, startTime);
}

/** A submitter as one token of a subject. Throws if it could break out of it (P7). */
export function ownerOf(submitter: string | undefined): string {
  if (submitter === undefined) {
    return noSubmitter;
  }
  if (!submitterPattern.test(submitter)) {
    throw new TypeError('a submitter must match [A-Za-z0-9._-]{1,63}');
  }
  return submitter.includes('.') ? submitter.replaceAll('.', '=') : submitter;
}

export function addressOf({ callId, submitter, startTime }: CallIdentity): CallAddress {
  return { callId, owner: ownerOf(submitter), startTime };
}

/** `<callId>.<submitter>.<startTime>`: throws if a part could break out of its token (P7). */
export function identityTokens({ callId, submitter, startTime }: CallIdentity): string {
  if (!startTimePattern.test(startTime)) {
    throw new TypeError('a start time must be a Unix time in nanoseconds');
  }
  return `${checkedId(callId)}.${ownerOf(submitter)}.${startTime}`;
}

/** As `identityTokens`, with `*` for missing parts. */
export function addressTokens({ callId, owner = '*', startTime = '*' }: CallAddress): string {
  if (!(owner === '*' || ownerPattern.test(owner)) || !(startTime === '*' || startTimePattern.test(startTime))) {
    throw new TypeError('a call must have a valid owner and start time');
  }
  return `${checkedId(callId)}.${owner}.${startTime}`;
}

/** The reverse of `identityTokens`; undefined for tokens that are not ours. */
export function parseIdentity(callId = '', owner = '', startTime = ''): CallIdentity | undefined {
  const isOurs = isCallId(callId) && ownerPattern.test(owner) && startTimePattern.test(startTime);
  return isOurs
    ? toIdentity(callId, owner === noSubmitter ? undefined : owner.replaceAll('=', '.'), startTime)
    : undefined;
}

export function isSameCall(a: CallIdentity, b: CallIdentity): boolean {
  return a.callId === b.callId && a.startTime === b.startTime && a.submitter === b.submitter;
}

function toIdentity(callId: string, submitter: string | undefined, startTime: string): CallIdentity {
  return submitter === undefined ? { callId, startTime } : { callId, submitter, startTime };
}

function checkedId(callId: string): string {
  if (!isCallId(callId)) {
    throw new TypeError('a call id must match [A-Za-z0-9_-]{1,128}');
  }
  return callId;
}
