import { parseDuration, parseSize } from '@asyncfn/units';
import { Compile } from 'typebox/compile';
import { WebhookSettings } from './webhook-settings.ts';

/** How the webhooks of a function are verified and answered, with defaults filled in and units converted. */
export interface WebhookConfig {
  /** The scheme that the sender signs with. */
  readonly verify: WebhookSettings['verify'];
  /** Paths as they were written, one secret in each. */
  readonly secretFiles: readonly string[];
  /** The token of Meta's subscription request; undefined if the function answers none. */
  readonly verifyToken: string | undefined;
  /** The answer to a delivery that is stored. */
  readonly answer: { readonly status: number; readonly body: string };
  /** Largest body. */
  readonly maxBytes: number;
  /** Only for `verify: hmac`. */
  readonly hmac: HmacConfig | undefined;
}

interface HmacConfig {
  readonly header: string;
  readonly algorithm: 'sha256' | 'sha1' | 'sha512';
  readonly encoding: 'hex' | 'base64';
  /** Stands before the signature in its header; possibly empty. */
  readonly prefix: string;
  /** The header with the signed time; undefined if only the body is signed. */
  readonly timestampHeader: string | undefined;
  readonly toleranceMs: number;
  readonly idHeader: string | undefined;
}

const defaultMaxBytes = 1024 * 1024;
const defaultTolerance = '5m';

const format = Compile(WebhookSettings);

/**
 * The configuration that stored settings mean. Undefined without settings, and for those of a later version that this
 * one does not know: it verifies nothing that it does not understand.
 */
export function toWebhookConfig(settings: unknown): WebhookConfig | undefined {
  if (!format.Check(settings)) {
    return undefined;
  }
  const { verify, secretFiles, verifyToken, answer = {}, maxBytes } = settings;
  const hmac = verify === 'hmac' ? toHmacConfig(settings) : undefined;
  return verify === 'hmac' && hmac === undefined
    ? undefined
    : {
        verify,
        secretFiles,
        verifyToken,
        answer: { status: answer.status ?? 200, body: answer.body ?? '' },
        maxBytes: (maxBytes === undefined ? undefined : parseSize(maxBytes)) ?? defaultMaxBytes,
        hmac,
      };
}

function toHmacConfig(settings: WebhookSettings): HmacConfig | undefined {
  const { header, algorithm = 'sha256', encoding = 'hex', prefix = '', signed, timestampHeader, idHeader } = settings;
  const isTimed = signed === 'timestamp.body';
  if (header === undefined || (isTimed && timestampHeader === undefined)) {
    return undefined;
  }
  return {
    header: header.toLowerCase(),
    algorithm,
    encoding,
    prefix,
    timestampHeader: isTimed ? timestampHeader?.toLowerCase() : undefined,
    toleranceMs: parseDuration(settings.tolerance ?? defaultTolerance) ?? 0,
    idHeader: idHeader?.toLowerCase(),
  };
}
