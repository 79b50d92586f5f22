import type { FunctionConfig, WebhookConfig } from '@asyncfn/queue-core/functions';
import type { Target } from '../http/index.ts';
import type { EqualTreatment } from './equal-treatment.ts';
import { readBodyFacts, readClaim, verify } from './schemes/index.ts';

/** A delivery as it came. */
export interface RawDelivery {
  /** Undefined for a target that no function can have. */
  readonly target: Target | undefined;
  /** The function of that name, if there is one. */
  readonly function: FunctionConfig | undefined;
  /** Names and values in turn. */
  readonly rawHeaders: readonly string[];
  readonly body: Buffer;
}

/** A delivery that its partner has signed. */
export interface VerifiedDelivery {
  readonly kind: 'verified';
  readonly target: Target;
  readonly function: FunctionConfig;
  readonly webhook: WebhookConfig;
  readonly body: Buffer;
  /** The partner's id of it; undefined if it has none. */
  readonly id: string | undefined;
  /** The text to answer with, if it only asks whether this address is right. */
  readonly challenge: string | undefined;
}

export interface VerifyOptions {
  readonly secrets: { readonly keysOf: (name: string, webhook: WebhookConfig) => readonly Uint8Array[] };
  /** Unix time in milliseconds. */
  readonly now: () => number;
}

/** Why a delivery is not taken, for the log alone. */
export interface NotVerified {
  readonly kind: 'not verified';
  readonly reason: string;
}

/** Verifies a delivery. Every delivery of a length costs the same work, whatever is wrong with it. */
export function verifyDelivery(
  { target, function: config, rawHeaders, body }: RawDelivery,
  { effort, standIn }: EqualTreatment,
  { secrets, now }: VerifyOptions,
): VerifiedDelivery | NotVerified {
  const webhook = config?.webhook;
  const keys = config === undefined || webhook === undefined ? [] : secrets.keysOf(config.name, webhook);
  const claim = readClaim(webhook ?? standIn, rawHeaders);
  const verdict = verify({ claim, keys, effort, body, now: now() });
  if (target === undefined || config === undefined || webhook === undefined) {
    return notVerified(target === undefined ? 'no function can have this target' : whyNone(config));
  }
  if (verdict.kind === 'invalid') {
    return notVerified(keys.length === 0 ? 'no secret of the function can be used' : verdict.reason);
  }
  if (body.length > webhook.maxBytes) {
    return notVerified('the body is larger than maxBytes');
  }
  const { id, challenge } = readBodyFacts(webhook.verify, body);
  return { kind: 'verified', target, function: config, webhook, body, id: claim.headerId ?? id, challenge };
}

function whyNone(config: FunctionConfig | undefined): string {
  return config === undefined ? 'no such function' : 'the function has no webhook';
}

function notVerified(reason: string): NotVerified {
  return { kind: 'not verified', reason };
}
