import { createHmac as createNodeHmac } from 'node:crypto';
import { toWebhookConfig, type WebhookConfig } from '@asyncfn/queue-core/functions';
import { expect, test } from 'vitest';
import { functionConfig } from '../../test/gateway-fixture.ts';
import { treatEqually } from './equal-treatment.ts';
import { type Effort, type HashAlgorithm, readClaim, verify } from './schemes/index.ts';

const mebibyte = 1024 * 1024;
const taking = (webhook: object) => ({ ...functionConfig('a'), webhook: toWebhookConfig(webhook) });

test('without webhooks, a delivery is treated as one of GitHub', () => {
  expect(treatEqually([functionConfig('a')], 10 * mebibyte)).toEqual({
    effort: new Map([['sha256', 1]]),
    maxBytes: mebibyte,
    signatureHeaders: new Set(['x-hub-signature-256']),
    standIn: { verify: 'github', hmac: undefined },
  });
});

test('the function with most secrets and the one with the largest bodies decide for all', () => {
  const functions = [
    taking({ verify: 'stripe', secretFiles: ['a', 'b'], maxBytes: '2MiB' }),
    taking({ verify: 'github', secretFiles: ['a', 'b', 'c'], maxBytes: '1KiB' }),
    taking({ verify: 'hmac', header: 'x', algorithm: 'sha512', secretFiles: ['a'] }),
  ];
  expect(treatEqually(functions, 10 * mebibyte)).toMatchObject({
    effort: new Map([
      ['sha256', 3],
      ['sha512', 1],
    ]),
    maxBytes: 2 * mebibyte,
    signatureHeaders: new Set(['stripe-signature', 'x-hub-signature-256', 'x']),
    standIn: { verify: 'stripe' },
  });
  expect(treatEqually(functions, 1.5 * mebibyte).maxBytes).toBe(1.5 * mebibyte);
});

test('a verification hashes the whole body equally often for every function, whatever is wrong', () => {
  const effort: Effort = new Map([
    ['sha256', 3],
    ['sha1', 1],
  ]);
  const body = Buffer.from('body');
  const workOf = (config: Pick<WebhookConfig, 'verify' | 'hmac'>, rawHeaders: readonly string[], keys: number) => {
    const hashed: string[] = [];
    const claim = readClaim(config, rawHeaders);
    const createHmac = (algorithm: HashAlgorithm, key: Uint8Array) => {
      hashed.push(algorithm);
      return createNodeHmac(algorithm, key);
    };
    verify({ claim, keys: Array<Buffer>(keys).fill(Buffer.of(1)), effort, body, now: 0, createHmac });
    return hashed;
  };
  const github = { verify: 'github', hmac: undefined } as const;
  const stripe = { verify: 'stripe', hmac: undefined } as const;
  const signature = createNodeHmac('sha256', Buffer.of(1)).update(body).digest('hex');
  const signed = ['X-Hub-Signature-256', `sha256=${signature}`];
  const work = ['sha256', 'sha256', 'sha256', 'sha1'];
  expect(workOf(github, signed, 1)).toEqual(work);
  expect(workOf(github, signed, 3)).toEqual(work);
  expect(workOf(github, signed, 0)).toEqual(work); // no such function
  expect(workOf(github, [], 1)).toEqual(work);
  expect(workOf(github, [...signed, ...signed], 1)).toEqual(work);
  expect(workOf(stripe, ['Stripe-Signature', 't=1,v1=00'], 2)).toEqual(work);
});
