import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '@asyncfn/queue-core/functions';
import { describe, expect, test } from 'vitest';
import { parseSecret } from '../secrets/parse-secret.ts';
import { readBodyFacts } from './body-facts.ts';
import { readClaim } from './claim.ts';
import { type Effort, verify } from './verify.ts';

type Config = Pick<WebhookConfig, 'verify' | 'hmac'>;

/** A signed delivery of one sender. */
interface Delivery {
  readonly config: Config;
  readonly secret: string;
  readonly headers: readonly string[];
  readonly body: string | Buffer;
  /** When it was signed, in Unix seconds; undefined for schemes without a time. */
  readonly signedAt?: number;
}

const once: Effort = new Map([['sha256', 1]]);
const scheme = (name: WebhookConfig['verify']): Config => ({ verify: name, hmac: undefined });

function keyOf(secret: string, { verify: name }: Config): Buffer {
  const parsed = parseSecret(secret, name);
  if (parsed.kind === 'refused') {
    throw new Error(parsed.problem);
  }
  return parsed.key;
}

function verdictOf(
  { config, secret, headers, body, signedAt = 1 }: Delivery,
  { secrets = [secret], atSeconds = signedAt }: { secrets?: readonly string[]; atSeconds?: number } = {},
) {
  return verify({
    claim: readClaim(config, headers),
    keys: secrets.map((each) => keyOf(each, config)),
    effort: once,
    body: Buffer.from(body),
    now: atSeconds * 1000,
  });
}

/** https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries#testing-the-webhook-payload-validation */
const github: Delivery = {
  config: scheme('github'),
  secret: "It's a Secret to Everybody",
  headers: [
    'X-Hub-Signature-256',
    'sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17',
    'X-GitHub-Delivery',
    '72d3162e-cc78-11e3-81ab-4c9367dc0958',
  ],
  body: 'Hello, World!',
};

/** https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md */
const standard: Delivery = {
  config: scheme('standard'),
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  headers: [
    'webhook-id',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    'webhook-timestamp',
    '1614265330',
    'webhook-signature',
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
  ],
  body: '{"test": 2432232314}',
  signedAt: 1_614_265_330,
};

/** https://docs.slack.dev/authentication/verifying-requests-from-slack */
const slack: Delivery = {
  config: scheme('slack'),
  secret: '8f742231b10e8888abcd99yyyzzz85a5',
  headers: [
    'X-Slack-Request-Timestamp',
    '1531420618',
    'X-Slack-Signature',
    'v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503',
  ],
  body:
    'token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&channel_id=G8PSS9T3V&' +
    'channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&command=%2Fwebhook-collect&text=&' +
    'response_url=https%3A%2F%2Fhooks.slack.com%2Fcommands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&' +
    'trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c',
  signedAt: 1_531_420_618,
};

/** By the steps of https://docs.stripe.com/webhooks/signature, made with `openssl dgst -sha256 -hmac`. */
const stripe: Delivery = {
  config: scheme('stripe'),
  secret: 'whsec_test_secret',
  headers: [
    'Stripe-Signature',
    't=1492774577,v1=a4d8cf7bf8f4f9daf3d0d4a5905396c32f725d47d08d91a0998fa1fefe70c66a,v0=6ffbb59b2300aae63f272406069a9788598b792a944a07aba816edb039989a39',
  ],
  body: '{"id":"evt_1NG8Du2eZvKYlo2CUI79vXWy","object":"event","type":"charge.succeeded"}',
  signedAt: 1_492_774_577,
};

/** By the steps of https://shopify.dev/docs/apps/build/webhooks/subscribe/https, made in the same way. */
const shopify: Delivery = {
  config: scheme('shopify'),
  secret: 'hush',
  headers: [
    'X-Shopify-Hmac-Sha256',
    'D0UMXmhjwBRi4y66TmhJrDlhQABD7zI2fm3p6/QLMo8=',
    'X-Shopify-Webhook-Id',
    'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
  ],
  body: '{"id":820982911946154508,"email":"jon@example.com"}',
};

const hmac: Delivery = {
  config: {
    verify: 'hmac',
    hmac: {
      header: 'x-signature',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'sig ',
      timestampHeader: 'x-time',
      toleranceMs: 30_000,
      idHeader: 'x-id',
    },
  },
  secret: 'key',
  headers: [
    'X-Signature',
    'sig FMvBlgqM9BRdLfJMo8fpNH+XILwHYOCqgGjpZ1SppI9ajH1rTOqpj0olJadhqPVevWMZUCaWw8cwArr1FdvF/w==',
    'X-Time',
    '1700000000',
    'X-Id',
    'delivery 7',
  ],
  body: '{"a":1}',
  signedAt: 1_700_000_000,
};

const bodyOnly: Delivery = {
  config: {
    verify: 'hmac',
    hmac: {
      header: 'x-hub-signature',
      algorithm: 'sha1',
      encoding: 'hex',
      prefix: '',
      timestampHeader: undefined,
      toleranceMs: 300_000,
      idHeader: undefined,
    },
  },
  secret: 'key',
  headers: ['x-hub-signature', 'b5557a4b8f3cc308d19eb4f69f336392a31eef7b'],
  body: '{"a":1}',
};

const deliveries = { github, standard, slack, stripe, shopify, hmac, bodyOnly };
/** Ids that the sender does not sign. */
const unsigned: ReadonlySet<string> = new Set(['X-GitHub-Delivery', 'X-Shopify-Webhook-Id', 'X-Id']);
const timed = Object.entries(deliveries).filter(([, { signedAt }]) => signedAt !== undefined);

describe.each(Object.entries(deliveries))('the example of %s', (_, delivery) => {
  test('is valid', () => {
    expect(verdictOf(delivery)).toEqual({ kind: 'valid' });
  });

  test('is valid with the second of two secrets, and with neither of two others', () => {
    const other = delivery === standard ? 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' : 'other';
    expect(verdictOf(delivery, { secrets: [other, delivery.secret] })).toEqual({ kind: 'valid' });
    expect(verdictOf(delivery, { secrets: [other] })).toEqual({ kind: 'invalid', reason: 'no signature matches' });
    expect(verdictOf(delivery, { secrets: [] })).toEqual({ kind: 'invalid', reason: 'no signature matches' });
  });

  test('is not valid if any bit of its body is another', () => {
    const body = Buffer.from(delivery.body);
    for (let bit = 0; bit < body.length * 8; bit += 7) {
      const flipped = Buffer.from(body);
      flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
      expect(verdictOf({ ...delivery, body: flipped }).kind).toBe('invalid');
    }
    expect(verdictOf({ ...delivery, body: Buffer.concat([body, Buffer.of(0)]) }).kind).toBe('invalid');
    expect(verdictOf({ ...delivery, body: '' }).kind).toBe('invalid');
  });

  test('is not valid if any bit of its signature or of its signed time is another', () => {
    const headers = delivery.headers.map((value) => Buffer.from(value, 'latin1'));
    const signed = delivery.headers.flatMap((name, at) => (at % 2 === 0 && !unsigned.has(name) ? [at + 1] : []));
    expect(signed.length).toBeGreaterThan(0);
    for (const at of signed) {
      const value = headers[at]!;
      // Stripe's v0 at the end of its header is not read.
      const end = delivery === stripe ? value.indexOf(',v0') : value.length;
      for (let bit = 0; bit < end * 8; bit += 1) {
        const flipped = Buffer.from(value);
        flipped.writeUInt8(flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        const changed = delivery.headers.with(at, flipped.toString('latin1'));
        expect(verdictOf({ ...delivery, headers: changed }).kind, changed[at]).toBe('invalid');
      }
    }
  });

  test.each(delivery.headers.filter((_, at) => at % 2 === 0))('is not valid if %s is sent twice', (name) => {
    const at = delivery.headers.indexOf(name);
    const headers = [...delivery.headers, name.toUpperCase(), delivery.headers[at + 1] ?? ''];
    expect(verdictOf({ ...delivery, headers })).toEqual({
      kind: 'invalid',
      reason: `${name.toLowerCase()} was sent more than once`,
    });
  });

  test('is not valid without its headers', () => {
    expect(verdictOf({ ...delivery, headers: [] }).kind).toBe('invalid');
  });
});

test.each(timed)('the signed time of %s may be off by its tolerance, and no more', (name, delivery) => {
  const at = delivery.signedAt ?? 0;
  const tolerance = name === 'hmac' ? 30 : 300;
  const kinds = [-tolerance - 1, -tolerance, tolerance, tolerance + 1].map((off) =>
    verdictOf(delivery, { atSeconds: at + off }),
  );
  expect(kinds).toEqual([
    { kind: 'invalid', reason: 'signed too far in the future' },
    { kind: 'valid' },
    { kind: 'valid' },
    { kind: 'invalid', reason: 'signed too long ago' },
  ]);
});

describe('lists of signatures', () => {
  const wrong = `v1,${Buffer.alloc(32).toString('base64')}`;
  const right = standard.headers[5] ?? '';
  const withSignatures = (value: string) => verdictOf({ ...standard, headers: standard.headers.with(5, value) });

  test('one of several is enough, whatever the others are', () => {
    expect(withSignatures(`v1a,x ${wrong} ${right}`)).toEqual({ kind: 'valid' });
    const both = stripe.headers[1]?.replace(',v1=', ',v1=00,v1=') ?? '';
    expect(verdictOf({ ...stripe, headers: ['stripe-signature', both] })).toEqual({ kind: 'valid' });
  });

  test('a huge one is refused', () => {
    const reason = 'more than 16 signatures';
    expect(withSignatures(`${`${wrong} `.repeat(16)}${right}`)).toEqual({ kind: 'invalid', reason });
  });

  test.each([`t=1492774577,t=1492774577`, 't=', 'v1=', 'v1', ',,,', 't=1e9,v1=00', 't=-5,v1=00', 't=١٤٩,v1=é\xff'])(
    'the header %j of Stripe is not valid',
    (value) => {
      const latin1 = Buffer.from(value).toString('latin1');
      expect(verdictOf({ ...stripe, headers: ['stripe-signature', latin1] }).kind).toBe('invalid');
    },
  );
});

test('a signature in the other encoding, or of other letters, is not valid', () => {
  const value = github.headers[1] ?? '';
  const asBase64 = `sha256=${Buffer.from(value.slice(7), 'hex').toString('base64')}`;
  for (const other of [asBase64, value.slice(7), value.toUpperCase(), `${value} `, value.slice(0, -2)]) {
    expect(verdictOf({ ...github, headers: ['x-hub-signature-256', other] }).kind).toBe('invalid');
  }
});

test('an empty body is signed like any other', () => {
  const signature = `sha256=${createHmac('sha256', github.secret).digest('hex')}`;
  expect(verdictOf({ ...github, body: '', headers: ['X-Hub-Signature-256', signature] })).toEqual({ kind: 'valid' });
});

test('ids of deliveries are read from where each sender has them', () => {
  const ids = Object.values(deliveries).map(
    ({ config, headers, body }) =>
      readClaim(config, headers).headerId ?? readBodyFacts(config.verify, Buffer.from(body)).id,
  );
  expect(ids).toEqual([
    '72d3162e-cc78-11e3-81ab-4c9367dc0958',
    'msg_p5jXN8AQM9LWM0D4loKWxJek',
    undefined,
    'evt_1NG8Du2eZvKYlo2CUI79vXWy',
    'b54557e4-bdd9-4b37-8a5f-bf7d70bcd043',
    'delivery 7',
    undefined,
  ]);
  const factsOf = (body: unknown) => readBodyFacts('slack', Buffer.from(JSON.stringify(body)));
  expect(factsOf({ event_id: 'Ev08MFMKH6' })).toEqual({ id: 'Ev08MFMKH6', challenge: undefined });
  expect(factsOf({ event_id: 7, challenge: 'x' })).toEqual({ id: undefined, challenge: undefined });
  expect(factsOf({ type: 'url_verification', challenge: '3eZbrw1a' })).toMatchObject({ challenge: '3eZbrw1a' });
  expect(factsOf({ type: 'url_verification', challenge: 'x'.repeat(1025) })).toMatchObject({ challenge: undefined });
  expect(readBodyFacts('stripe', Buffer.from('{"type":"url_verification","challenge":"x"}')).challenge).toBeUndefined();
  for (const other of ['', '[]', 'null', '{', '"x"', '\xff']) {
    expect(readBodyFacts('stripe', Buffer.from(other, 'latin1'))).toEqual({ id: undefined, challenge: undefined });
  }
});
