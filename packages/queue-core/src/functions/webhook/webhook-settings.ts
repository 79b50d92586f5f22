import { parseDuration, parseSize } from '@asyncfn/units';
import { type Static, Type } from 'typebox';
import { Format } from 'typebox/format';

Format.Set('webhook-size', (text) => (parseSize(text) ?? 0) > 0);
Format.Set('webhook-tolerance', (text) => (parseDuration(text) ?? 0) > 0);
Format.Set('secret-path', isSecretPath);

const HeaderName = Type.String({ pattern: "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$" });

/** What only `verify: hmac` has, because the other schemes settle it. */
const ofHmac = {
  /** The header with the signature. */
  header: Type.Optional(HeaderName),
  algorithm: Type.Optional(Type.Union([Type.Literal('sha256'), Type.Literal('sha1'), Type.Literal('sha512')])),
  encoding: Type.Optional(Type.Union([Type.Literal('hex'), Type.Literal('base64')])),
  /** Stands before the signature in its header. */
  prefix: Type.Optional(Type.String({ pattern: '^[!-~][ -~]{0,62}$' })),
  signed: Type.Optional(Type.Union([Type.Literal('body'), Type.Literal('timestamp.body')])),
  timestampHeader: Type.Optional(HeaderName),
  tolerance: Type.Optional(Type.String({ format: 'webhook-tolerance' })),
  /** The header with the sender's id of the delivery. */
  idHeader: Type.Optional(HeaderName),
};

export const hmacSettingNames: readonly string[] = Object.keys(ofHmac);

/** The `webhook` of a function, as it is written. `webhookProblems` checks what its settings mean together. */
export const WebhookSettings = Type.Object(
  {
    verify: Type.Union([
      Type.Literal('github'),
      Type.Literal('stripe'),
      Type.Literal('slack'),
      Type.Literal('shopify'),
      Type.Literal('standard'),
      Type.Literal('hmac'),
    ]),
    secretFiles: Type.Array(Type.String({ format: 'secret-path' }), { minItems: 1, maxItems: 5, uniqueItems: true }),
    verifyToken: Type.Optional(Type.String({ pattern: '^[ -~]{1,255}$' })),
    answer: Type.Optional(
      Type.Object(
        {
          status: Type.Optional(Type.Integer({ minimum: 200, maximum: 299 })),
          body: Type.Optional(Type.String({ maxLength: 4096 })),
        },
        { additionalProperties: false },
      ),
    ),
    maxBytes: Type.Optional(Type.String({ format: 'webhook-size' })),
    ...ofHmac,
  },
  { additionalProperties: false },
);

export type WebhookSettings = Static<typeof WebhookSettings>;

/** Whether a text can be the path of a file. */
export function isSecretPath(text: string): boolean {
  return text !== '' && text.length <= 1024 && !text.includes('\0');
}
