import type { FunctionConfig, WebhookConfig } from '@asyncfn/queue-core/functions';
import { type Effort, type HashAlgorithm, kindOf, signatureHeaderOf } from './schemes/index.ts';

/** What all deliveries have in common, so that no answer tells which functions exist and which of them take webhooks. */
export interface EqualTreatment {
  /** The hashes that each verification computes. */
  readonly effort: Effort;
  /** The largest body that is read; no function takes a larger one. */
  readonly maxBytes: number;
  /** A request with none of these headers is refused without its body. In lower case. */
  readonly signatureHeaders: ReadonlySet<string>;
  /** What a delivery to a name without a webhook is verified with. No key fits it. */
  readonly standIn: Pick<WebhookConfig, 'verify' | 'hmac'>;
}

const usualMaxBytes = 1024 * 1024;
const usual: EqualTreatment['standIn'] = { verify: 'github', hmac: undefined };

/** @param maxBodyBytes largest body of any call */
export function treatEqually(functions: readonly FunctionConfig[], maxBodyBytes: number): EqualTreatment {
  const webhooks = functions.flatMap(({ webhook }) => webhook ?? []);
  const effort = new Map<HashAlgorithm, number>();
  for (const webhook of webhooks) {
    const { algorithm } = kindOf(webhook);
    effort.set(algorithm, Math.max(effort.get(algorithm) ?? 1, webhook.secretFiles.length));
  }
  const [standIn = usual] = webhooks;
  const largest = Math.max(usualMaxBytes, ...webhooks.map(({ maxBytes }) => maxBytes));
  return {
    effort: effort.size === 0 ? new Map([[kindOf(usual).algorithm, 1]]) : effort,
    maxBytes: Math.min(largest, maxBodyBytes),
    signatureHeaders: new Set([standIn, ...webhooks].map(signatureHeaderOf)),
    standIn,
  };
}

/** @param rawHeaders names and values in turn */
export function hasSignature(rawHeaders: readonly string[], { signatureHeaders }: EqualTreatment): boolean {
  return rawHeaders.some((name, at) => at % 2 === 0 && signatureHeaders.has(name.toLowerCase()));
}
