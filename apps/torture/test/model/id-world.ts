import type { Step } from './explore.ts';

/** Two calls that are sent with one id, to two gateways. */
export interface IdWorld {
  readonly gateways: Gateway[];
  readonly calls: IdCall[];
  /** The owner of each claim, by the name of the claim. */
  claims: Record<string, number>;
  /** The call that made each record of an end. */
  ends: Record<string, number>;
  /** Whether a call that can expire has started or expired first, and which call decided it. */
  decisions: Record<string, Decision>;
  offence: string | null;
  crashes: number;
}

export interface Decision {
  readonly says: 'started' | 'expired';
  readonly by: number;
}

export interface Gateway {
  does:
    | 'claim'
    | 'look in the queues'
    | 'look for intents'
    | 'look for ends'
    | 'claim and decide'
    | 'decide'
    | 'wait for PubAck'
    | 'done'
    | 'dead';
  /** Whether the claim is its own. */
  holds: boolean;
  /** Whether it has seen that the id is known. */
  isKnown: boolean;
  said: 'nothing' | 'accepted' | 'conflict' | 'busy';
}

export interface IdCall {
  /** `sent`: on its way to its queue. */
  stands: 'nowhere' | 'sent' | 'queued' | 'decided' | 'ended' | 'removed' | 'gone';
  wasStored: boolean;
  /** Whether there is an intent to cancel it. */
  intent: boolean;
  /** The call whose end it was given. */
  endOf: number | null;
  /** Whether its end is forgotten. */
  isForgotten: boolean;
}

/** Deliberate mistakes; all are false in the real protocol. */
export interface IdVariant {
  /** The gateway does not claim the id before it checks whether the id is known. */
  readonly noClaim?: boolean;
  /** The gateway checks for the id before it claims it. */
  readonly lookFirst?: boolean;
  /** A claim is forgotten while the call of its gateway is on its way. */
  readonly shortClaims?: boolean;
  /** The check for an id ignores intents to cancel. */
  readonly noIntents?: boolean;
  /** The check looks for ends before it looks into the queues. */
  readonly endsBeforeQueues?: boolean;
  /** Records are filed under the id and the submitter, without the start time. */
  readonly sharedRecords?: boolean;
  /** Ids are claimed and checked without their submitter. */
  readonly idsOfAll?: boolean;
}

export interface IdBounds {
  /** The queues of the two calls. */
  readonly queues: readonly [string, string];
  readonly submitters: readonly [string, string];
  /** Gateways that die, and messages that do not reach the broker. */
  readonly crashes: number;
  /** Whether calls are cancelled. */
  readonly cancel: boolean;
  /** Whether ends are forgotten. */
  readonly forget: boolean;
  /** Whether two calls of one id may exist at once, to see that they do not harm each other. Default false. */
  readonly mayMeet?: boolean;
}

export function initialIdWorld(does: Gateway['does']): IdWorld {
  const gateway: Gateway = { does, holds: false, isKnown: false, said: 'nothing' };
  const call: IdCall = { stands: 'nowhere', wasStored: false, intent: false, endOf: null, isForgotten: false };
  return {
    gateways: [gateway, { ...gateway }],
    calls: [call, { ...call }],
    claims: {},
    ends: {},
    decisions: {},
    offence: null,
    crashes: 0,
  };
}

export function idStep(world: IdWorld, name: string, change: (next: IdWorld) => void): Step<IdWorld> {
  const next: IdWorld = {
    ...world,
    gateways: world.gateways.map((gateway) => ({ ...gateway })),
    calls: world.calls.map((call) => ({ ...call })),
    claims: { ...world.claims },
    ends: { ...world.ends },
    decisions: { ...world.decisions },
  };
  change(next);
  return { name, next };
}
