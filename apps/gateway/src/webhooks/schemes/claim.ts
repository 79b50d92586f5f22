import type { WebhookConfig } from '@asyncfn/queue-core/functions';
import { readOnce, SentTwice } from './read-once.ts';

export type HashAlgorithm = 'sha256' | 'sha1' | 'sha512';

/** What the headers of a delivery say about its signature. Nothing of it is verified. */
export interface Claim {
  readonly algorithm: HashAlgorithm;
  readonly encoding: 'hex' | 'base64';
  /** What is signed in front of the body (latin1). */
  readonly before: string;
  /** In the encoding above; any of them may be the right one. */
  readonly signatures: readonly string[];
  /** Undefined if the scheme signs no time. */
  readonly time: { readonly text: string; readonly toleranceMs: number } | undefined;
  /** The sender's id of the delivery, if a header has it. */
  readonly headerId: string | undefined;
  /** Why the signature cannot be right, in words of ours. */
  readonly fault: string | undefined;
}

/** Senders send one signature for each of their secrets, so two or three. */
const maxSignatures = 16;

/** Stripe, Slack and the libraries of Standard Webhooks agree on it. */
const usualToleranceMs = 5 * 60_000;

const plain = {
  algorithm: 'sha256',
  encoding: 'hex',
  before: '',
  signatures: [],
  time: undefined,
  headerId: undefined,
  fault: undefined,
} as const satisfies Claim;

/** One header that a scheme reads; undefined if it is absent. Throws `SentTwice`. */
type Header = (name: string) => string | undefined;

/**
 * Reads what a delivery claims, by the scheme of its function.
 * @param rawHeaders names and values in turn
 */
export function readClaim(config: Pick<WebhookConfig, 'verify' | 'hmac'>, rawHeaders: readonly string[]): Claim {
  try {
    const claim = readers[config.verify]((name) => readOnce(rawHeaders, name), config);
    return { ...claim, fault: claim.fault ?? faultOf(claim) };
  } catch (error) {
    if (error instanceof SentTwice) {
      return { ...plain, ...kindOf(config), fault: error.message };
    }
    throw error;
  }
}

/** The hash of a scheme, which is known without any delivery. */
export function kindOf({ hmac }: Pick<WebhookConfig, 'hmac'>): Pick<Claim, 'algorithm' | 'encoding'> {
  return { algorithm: hmac?.algorithm ?? plain.algorithm, encoding: hmac?.encoding ?? plain.encoding };
}

/** The header with the signature, in lower case: known without any delivery, too. */
export function signatureHeaderOf({ verify, hmac }: Pick<WebhookConfig, 'verify' | 'hmac'>): string {
  return verify === 'hmac' ? (hmac?.header ?? '') : signatureHeaders[verify];
}

const signatureHeaders: Readonly<Record<Exclude<WebhookConfig['verify'], 'hmac'>, string>> = {
  github: 'x-hub-signature-256',
  stripe: 'stripe-signature',
  slack: 'x-slack-signature',
  shopify: 'x-shopify-hmac-sha256',
  standard: 'webhook-signature',
};

function faultOf({ signatures, time }: Claim): string | undefined {
  if (signatures.length === 0) {
    return 'no signature';
  }
  if (signatures.length > maxSignatures) {
    return `more than ${maxSignatures} signatures`;
  }
  return time !== undefined && !/^\d{1,12}$/.test(time.text) ? 'no signed time in Unix seconds' : undefined;
}

const readers: Readonly<
  Record<WebhookConfig['verify'], (header: Header, config: Pick<WebhookConfig, 'hmac'>) => Claim>
> = {
  /** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries */
  github: (header) => ({
    ...plain,
    signatures: afterPrefix(header(signatureHeaders.github), 'sha256='),
    headerId: header('x-github-delivery'),
  }),
  /** https://docs.stripe.com/webhooks/signature */
  stripe(header) {
    const parts = (header(signatureHeaders.stripe) ?? '').split(',').map((part) => part.trim());
    const times = parts.flatMap((part) => afterPrefix(part, 't='));
    const [text = ''] = times;
    return {
      ...plain,
      before: `${text}.`,
      signatures: parts.flatMap((part) => afterPrefix(part, 'v1=')),
      time: { text, toleranceMs: usualToleranceMs },
      fault: times.length > 1 ? 'more than one signed time' : undefined,
    };
  },
  /** https://docs.slack.dev/authentication/verifying-requests-from-slack */
  slack(header) {
    const text = header('x-slack-request-timestamp') ?? '';
    return {
      ...plain,
      before: `v0:${text}:`,
      signatures: afterPrefix(header(signatureHeaders.slack), 'v0='),
      time: { text, toleranceMs: usualToleranceMs },
    };
  },
  /** https://shopify.dev/docs/apps/build/webhooks/subscribe/https */
  shopify: (header) => ({
    ...plain,
    encoding: 'base64',
    signatures: afterPrefix(header(signatureHeaders.shopify), ''),
    headerId: header('x-shopify-webhook-id'),
  }),
  /** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
  standard(header) {
    const [id, text = ''] = [header('webhook-id'), header('webhook-timestamp')];
    const signatures = (header(signatureHeaders.standard) ?? '').split(' ').flatMap((each) => afterPrefix(each, 'v1,'));
    return {
      ...plain,
      encoding: 'base64',
      before: `${id}.${text}.`,
      signatures,
      time: { text, toleranceMs: usualToleranceMs },
      headerId: id,
      fault: id === undefined ? 'no webhook-id' : undefined,
    };
  },
  hmac(header, config) {
    const { hmac } = config;
    if (hmac === undefined) {
      return { ...plain, fault: 'the scheme has no settings' };
    }
    const { timestampHeader, toleranceMs, idHeader, prefix } = hmac;
    const text = timestampHeader === undefined ? undefined : (header(timestampHeader) ?? '');
    return {
      ...plain,
      ...kindOf(config),
      before: text === undefined ? '' : `${text}.`,
      signatures: afterPrefix(header(hmac.header), prefix),
      time: text === undefined ? undefined : { text, toleranceMs },
      headerId: idHeader === undefined ? undefined : header(idHeader),
    };
  },
};

/** The text after its prefix, as a list of one; empty for a text that does not begin with it. */
function afterPrefix(text: string | undefined, prefix: string): string[] {
  return text?.startsWith(prefix) === true && text.length > prefix.length ? [text.slice(prefix.length)] : [];
}
