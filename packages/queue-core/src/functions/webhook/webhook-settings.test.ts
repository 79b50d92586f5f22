import { expect, test } from 'vitest';
import { parseFunctionEntry, parseFunctions, secretFilesOf } from '../document/functions-document.ts';
import { decodeEntry, encodeEntry } from '../function-entry.ts';
import { toWebhookConfig } from './webhook-config.ts';
import type { WebhookChecks } from './webhook-problems.ts';

function webhookOf(webhook: object) {
  const parsed = parseFunctions(JSON.stringify({ functions: { a: { url: 'http://a', webhook } } }));
  return parsed.kind === 'functions' ? parsed.definition.functions.get('a')?.webhook : parsed.problems;
}

function problemsOf(text: string, webhooks?: WebhookChecks): string[] {
  const parsed = parseFunctions(text, { webhooks });
  return parsed.kind === 'refused' ? parsed.problems.map((p) => `${p.line}: ${p.path} ${p.problem}`) : [];
}

test('a scheme and a secret are enough', () => {
  expect(webhookOf({ verify: 'github', secretFiles: ['secrets/github'] })).toEqual({
    verify: 'github',
    secretFiles: ['secrets/github'],
    verifyToken: undefined,
    answer: { status: 200, body: '' },
    maxBytes: 1024 * 1024,
    hmac: undefined,
  });
});

test('every setting is read, and a function without webhook has none', () => {
  const webhook = {
    verify: 'hmac',
    secretFiles: ['/run/secrets/new', '/run/secrets/old'],
    verifyToken: 'meta',
    answer: { status: 202, body: 'thanks' },
    maxBytes: '64KiB',
    header: 'X-Signature',
    algorithm: 'sha512',
    encoding: 'base64',
    prefix: 'sig=',
    signed: 'timestamp.body',
    timestampHeader: 'X-Time',
    tolerance: '30s',
    idHeader: 'X-Id',
  };
  expect(webhookOf(webhook)).toEqual({
    verify: 'hmac',
    secretFiles: ['/run/secrets/new', '/run/secrets/old'],
    verifyToken: 'meta',
    answer: { status: 202, body: 'thanks' },
    maxBytes: 65_536,
    hmac: {
      header: 'x-signature',
      algorithm: 'sha512',
      encoding: 'base64',
      prefix: 'sig=',
      timestampHeader: 'x-time',
      toleranceMs: 30_000,
      idHeader: 'x-id',
    },
  });
  const parsed = parseFunctions('functions: { a: { url: http://a } }');
  expect(parsed.kind === 'functions' && parsed.definition.functions.get('a')?.webhook).toBeUndefined();
});

test('all problems are reported at once, each with its line', () => {
  const text = `functions:
  a:
    url: http://a
    webhook:
      verify: gitlab
      secretFiles: [""]
      answer: { status: 302, code: 1 }
      maxBytes: 0
  b:
    url: http://b
    webhook:
      verify: github
      secretFiles: [one, one]
      header: X-Signature
      tolerance: 5m
  c:
    url: http://c
    webhook: { verify: hmac, secretFiles: [one], tolerance: 0s, timestampHeader: X-Time, encoding: base32 }
  d:
    url: http://d
    webhook: { verify: hmac, secretFiles: [one], header: "a b", signed: timestamp.body }
  e: { url: http://e, webhook: { verify: slack, secretFiles: [one], answer: { status: 204, body: thanks } } }
  f: { url: http://f, webhook: github }
  g: { url: http://g, webhook: { secretFile: one } }
defaults:
  webhook: { verify: github, secretFiles: [one] }
`;
  expect(problemsOf(text).sort()).toEqual(
    [
      '5: functions.a.webhook.verify must be github, stripe, slack, shopify, standard or hmac',
      '6: functions.a.webhook.secretFiles.0 must be a list of 1 to 5 different paths, each of a file with one secret',
      '7: functions.a.webhook.answer.status must be a status from 200 to 299',
      '7: functions.a.webhook.answer.code is not a known setting',
      '8: functions.a.webhook.maxBytes must be a size such as 512MiB or 10GiB',
      '13: functions.b.webhook.secretFiles must be a list of 1 to 5 different paths, each of a file with one secret',
      '14: functions.b.webhook.header is only for verify: hmac',
      '15: functions.b.webhook.tolerance is only for verify: hmac',
      '18: functions.c.webhook.header is missing; must be the name of the header with the signature, for example X-Signature',
      '18: functions.c.webhook.timestampHeader is only for signed: timestamp.body',
      '18: functions.c.webhook.tolerance must be a duration above zero, for example 5m',
      '18: functions.c.webhook.encoding must be hex or base64',
      '21: functions.d.webhook.header must be the name of the header with the signature, for example X-Signature',
      '21: functions.d.webhook.timestampHeader is missing; must be the name of the header with the signed time, for example X-Timestamp',
      '22: functions.e.webhook.answer.body must be empty with status 204',
      '23: functions.f.webhook must be a map of settings',
      '24: functions.g.webhook.verify is missing; must be github, stripe, slack, shopify, standard or hmac',
      '24: functions.g.webhook.secretFiles is missing; must be a list of 1 to 5 different paths, each of a file with one secret',
      '24: functions.g.webhook.secretFile is not a known setting',
      '26: defaults.webhook is not a known setting',
    ].sort(),
  );
});

test('a secret file that cannot be used is a problem of its line, and all files are known beforehand', () => {
  const text = `functions:
  a: { url: http://a, webhook: { verify: github, secretFiles: [one, two] } }
  b: { url: http://b, webhook: { verify: standard, secretFiles: [two] } }
`;
  expect(secretFilesOf(text, {})).toEqual(['one', 'two']);
  const secretProblem = (file: string, verify: string) => (file === 'two' ? `cannot serve ${verify}` : undefined);
  expect(problemsOf(text, { secretProblem })).toEqual([
    '2: functions.a.webhook.secretFiles.1 two cannot serve github',
    '3: functions.b.webhook.secretFiles.0 two cannot serve standard',
  ]);
});

test('a request is checked like a file', () => {
  const entry = { url: 'http://a', webhook: { verify: 'github', secretFiles: [], prefix: 'x' } };
  expect(parseFunctionEntry('a', entry, {})).toMatchObject({
    kind: 'refused',
    problems: [
      'webhook.prefix is only for verify: hmac',
      'webhook.secretFiles must be a list of 1 to 5 different paths, each of a file with one secret',
    ],
  });
});

test('a gateway refuses bodies that no call of it may have', () => {
  const webhook = { verify: 'github', secretFiles: ['one'], maxBytes: '2MiB' };
  const problem = 'is more than MAX_BODY_BYTES of the gateway, 1MiB';
  const webhooks = { maxBodyBytes: 1024 * 1024 };
  const text = JSON.stringify({ functions: { a: { url: 'http://a', webhook } } });
  expect(problemsOf(text, webhooks)).toEqual([`1: functions.a.webhook.maxBytes ${problem}`]);
  expect(problemsOf(text)).toEqual([]);
  expect(parseFunctionEntry('a', { url: 'http://a', webhook }, {}, { webhooks })).toEqual({
    kind: 'refused',
    problems: [`webhook.maxBytes ${problem}`],
  });
});

test('stored settings of a later version leave the function readable, without webhooks', () => {
  const settings = { url: 'http://a', webhook: { verify: 'paypal', certificate: 'x' } };
  const entry = decodeEntry(encodeEntry({ source: 'api', paused: false, settings }));
  expect(entry?.settings).toEqual(settings);
  expect(toWebhookConfig(settings.webhook)).toBeUndefined();
});
