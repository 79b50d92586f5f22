import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import {
  AsyncfnClient,
  CallbackError,
  type IncomingCallback,
  OptionError,
  type VerifyCallbackOptions,
  verifyCallback,
} from '../src/index.ts';

/** The example of Standard Webhooks. */
const example = {
  secret: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
  id: 'msg_p5jXN8AQM9LWM0D4loKWxJek',
  seconds: 1614265330,
  body: '{"test": 2432232314}',
  signature: 'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=',
};
const secretOf = (byte: number): string => `whsec_${Buffer.alloc(32, byte).toString('base64')}`;
const now = () => example.seconds * 1000;

function webhook(changes: Record<string, string | undefined> = {}, body: IncomingCallback['body'] = example.body) {
  const headers = {
    'webhook-id': example.id,
    'webhook-timestamp': String(example.seconds),
    'webhook-signature': example.signature,
    ...changes,
  };
  return { headers, body };
}

function verify(callback: IncomingCallback, options: Partial<VerifyCallbackOptions> = {}) {
  return verifyCallback(callback, { secrets: example.secret, now, ...options });
}

function sign(secret: string, signed: string, body: Uint8Array | string): string {
  const key = Buffer.from(secret.slice(6), 'base64');
  return `v1,${createHmac('sha256', key).update(`${signed}.${example.seconds}.`).update(body).digest('base64')}`;
}

/** A callback of asyncfn. */
function callback(changes: Record<string, string | undefined> = {}, body: Uint8Array | string = 'result') {
  const facts = { 'X-Call-Id': 'call-1', 'X-Function-Name': 'hash.team', 'X-Function-Status': '200' };
  const headers = {
    ...facts,
    'X-Start-Time': '1614265329500000000',
    'X-Duration-Seconds': '0.412000',
    'X-Retry': '1',
    'X-Retry-Max': '10',
    'X-Replays': '0',
    'X-Chain-Depth': '1',
    'Content-Type': 'text/plain',
    'webhook-id': 'call-1',
    'webhook-timestamp': String(example.seconds),
    'webhook-signature': sign(secretOf(1), 'call-1', body),
    'X-Callback-Signature': sign(secretOf(1), Object.values(facts).join('\n'), body),
    ...changes,
  };
  return { headers, body };
}

const ours = { secrets: secretOf(1) };

describe("Standard Webhooks' own cases", () => {
  test('the example of the specification is genuine', async () => {
    expect(await verify(webhook())).toMatchObject({ id: example.id, sentAt: new Date(now()), callId: undefined });
    expect((await verify(webhook())).json()).toEqual({ test: 2432232314 });
  });

  test('a secret may be without its prefix', async () => {
    await verify(webhook(), { secrets: example.secret.slice('whsec_'.length) });
  });

  test('one valid signature among others is enough', async () => {
    const other = 'v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=';
    const signature = [other, other.replace('v1', 'v2'), example.signature, other].join(' ');
    await verify(webhook({ 'webhook-signature': signature }));
  });

  test.each<[string, Record<string, string | undefined>]>([
    ['invalid_headers', { 'webhook-id': undefined }],
    ['invalid_headers', { 'webhook-timestamp': undefined }],
    ['invalid_headers', { 'webhook-timestamp': 'hello' }],
    ['invalid_headers', { 'webhook-timestamp': '1e9' }],
    ['invalid_headers', { 'webhook-signature': undefined }],
    ['invalid_headers', { 'webhook-signature': example.signature.replace('v1', 'v2') }],
    ['invalid_headers', { 'webhook-signature': Array.from({ length: 21 }, () => 'v1,AAAA').join(' ') }],
    ['invalid_signature', { 'webhook-signature': 'v1,dawfeoifkpqwoekfpqoekf' }],
    ['invalid_signature', { 'webhook-signature': example.signature.slice(0, 8) }],
    ['invalid_signature', { 'webhook-signature': 'v1,' }],
    ['invalid_signature', { 'webhook-id': 'msg_other' }],
  ])('%s: %j is refused', async (code, changes) => {
    const error = await verify(webhook(changes)).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CallbackError);
    expect(error).toMatchObject({ code });
  });

  test.each([
    [301, 'too_old'],
    [-301, 'too_new'],
  ])('a time that is %i s off is refused', async (seconds, code) => {
    const at = () => now() + seconds * 1000;
    await expect(verify(webhook(), { now: at })).rejects.toMatchObject({ code });
    await verify(webhook(), { now: at, toleranceSeconds: 301 });
  });
});

test('what the package of Standard Webhooks signs is genuine by the clock, and as any kind of body', async () => {
  const text = '{"ä":"\u{1f600}"}';
  const seconds = Math.floor(Date.now() / 1000);
  const signature = new Webhook(secretOf(7)).sign('a', new Date(seconds * 1000), text);
  const headers = { 'Webhook-Id': 'a', 'Webhook-Timestamp': String(seconds), 'Webhook-Signature': [signature] };
  const bytes = new TextEncoder().encode(text);
  const bodies = [text, bytes, Buffer.from(text), bytes.buffer, Buffer.from(` ${text}`).subarray(1)];
  for (const body of bodies) {
    expect((await verifyCallback({ headers, body }, { secrets: [secretOf(7)] })).text()).toBe(text);
  }
  const client = new AsyncfnClient({ url: 'http://localhost' });
  const ofFetch = new Headers({ ...headers, 'Webhook-Signature': signature });
  await client.verifyCallback({ headers: ofFetch, body: text }, { secrets: secretOf(7) });
});

test('any bytes are verified, and each changed byte is found out', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 200 }), fc.nat(), async (body, at) => {
      const signed = { 'webhook-signature': sign(secretOf(1), example.id, body) };
      expect((await verify(webhook(signed, body), ours)).body).toEqual(new Uint8Array(body));
      const changed = body.slice();
      changed[at % body.length]! ^= 1;
      await expect(verify(webhook(signed, changed), ours)).rejects.toMatchObject({ code: 'invalid_signature' });
    }),
    { numRuns: 50 },
  );
});

test('an empty body, as frameworks have it, is verified', async () => {
  const signed = { 'webhook-signature': sign(secretOf(1), example.id, '') };
  for (const body of [undefined, null, '', new Uint8Array()]) {
    expect((await verify({ ...webhook(signed), body }, ours)).body).toHaveLength(0);
  }
});

test('while secrets rotate, one that both sides know is enough', async () => {
  const { headers, body } = callback();
  const both = {
    ...headers,
    'webhook-signature': `${sign(secretOf(2), 'call-1', body)} ${headers['webhook-signature']}`,
  };
  await verify({ headers: both, body }, { secrets: [secretOf(3), secretOf(1)] });
  await expect(verify({ headers, body }, { secrets: [secretOf(3), secretOf(2)] })).rejects.toMatchObject({
    code: 'invalid_signature',
  });
});

test('a callback says what has become of its call', async () => {
  const verified = await verify(callback(), ours);
  expect(verified).toMatchObject({
    id: 'call-1',
    callId: 'call-1',
    functionName: 'hash.team',
    functionStatus: 200,
    ok: true,
    batchId: undefined,
    unsigned: {
      contentType: 'text/plain',
      durationSeconds: 0.412,
      acceptedAt: new Date(1614265329500),
      retries: 1,
      maxRetries: 10,
      replays: 0,
      chainDepth: 1,
      rootCallId: undefined,
    },
  });
  expect(verified.text()).toBe('result');
});

test.each(['X-Call-Id', 'X-Function-Name', 'X-Function-Status', 'X-Callback-Signature'])(
  'a callback with another %s than was signed is refused',
  async (name) => {
    const other = name === 'X-Callback-Signature' ? 'v1,AAAA' : '500';
    await expect(verify(callback({ [name]: other }), ours)).rejects.toMatchObject({ code: 'invalid_signature' });
  },
);

test('without the signature that covers them, headers about the call are not taken for true', async () => {
  const verified = await verify(callback({ 'X-Callback-Signature': undefined }), ours);
  expect(verified).toMatchObject({ id: 'call-1', callId: undefined, functionStatus: undefined, ok: false });
});

test('the callback of a batch names the batch', async () => {
  const none = { 'X-Call-Id': undefined, 'X-Function-Name': undefined, 'X-Function-Status': undefined };
  const signed = { ...none, 'X-Callback-Signature': sign(secretOf(1), '\n\n', 'result') };
  const verified = await verify(callback({ ...signed, 'X-Batch-Id': 'call-1' }), ours);
  expect(verified).toMatchObject({ batchId: 'call-1', callId: undefined, ok: false });
  expect(await verify(callback({ ...signed, 'X-Batch-Id': 'other' }), ours)).toMatchObject({ batchId: undefined });
});

test.each<[string, Partial<VerifyCallbackOptions> & { body?: unknown }]>([
  ['secrets: there is none', { secrets: [] }],
  ['secrets: there is none', { secrets: undefined as unknown as string }],
  ['secrets.0: is not whsec_', { secrets: '' }],
  ['secrets.1: is not whsec_', { secrets: [secretOf(1), 'whsec_tooShort'] }],
  ['secrets.0: is not whsec_', { secrets: 'whsec_*not-base64*' }],
  ['toleranceSeconds', { toleranceSeconds: Number.NaN }],
  ['body: has been parsed', { body: { a: 1 } }],
])('%s: an error of the receiver is not one of the sender', async (text, { body = '', ...options }) => {
  const error = await verify(webhook({}, body as string), options).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(OptionError);
  expect(String(error)).toContain(text);
  expect(String(error)).not.toMatch(/tooShort|not-base64/);
});
