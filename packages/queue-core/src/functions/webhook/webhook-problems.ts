import type { Found } from '@asyncfn/checked-yaml';
import { formatSize, parseSize } from '@asyncfn/units';
import { entriesOf, isMap } from '../entries-of.ts';
import { hmacSettingNames, isSecretPath } from './webhook-settings.ts';

export interface WebhookChecks {
  /** `MAX_BODY_BYTES` of the gateway. Default: `maxBytes` may be anything. */
  readonly maxBodyBytes?: number;
  /**
   * The problem with a file that `secretFiles` names; undefined if it can be used. Default: files are not looked at.
   * @param file the path as it was written
   * @param verify the scheme that it is for, unless that is wrong
   */
  readonly secretProblem?: (file: string, verify: string) => string | undefined;
}

/** What each setting must be. */
export const webhookExpectations: readonly (readonly [setting: string, expectation: string])[] = [
  ['verify', 'must be github, stripe, slack, shopify, standard or hmac'],
  ['secretFiles', 'must be a list of 1 to 5 different paths, each of a file with one secret'],
  ['verifyToken', 'must be a text of 1 to 255 ASCII characters'],
  ['status', 'must be a status from 200 to 299'],
  ['body', 'must be a text of at most 4096 characters'],
  ['header', 'must be the name of the header with the signature, for example X-Signature'],
  ['algorithm', 'must be sha256, sha1 or sha512'],
  ['encoding', 'must be hex or base64'],
  ['prefix', 'must be the text before the signature in its header, for example sha256='],
  ['signed', 'must be body or timestamp.body'],
  ['timestampHeader', 'must be the name of the header with the signed time, for example X-Timestamp'],
  ['tolerance', 'must be a duration above zero, for example 5m'],
  ['idHeader', 'must be the name of the header with the id of the delivery, for example X-Delivery-Id'],
];

const expectations: ReadonlyMap<string, string> = new Map(webhookExpectations);

/** Statuses of responses without a body (RFC 9110, 15.3.5 and 15.3.6). */
const bodiless: ReadonlySet<unknown> = new Set([204, 205]);

/** The `webhook` of one function, whatever its shape. */
interface Place {
  readonly keys: readonly string[];
  readonly webhook: Readonly<Record<string, unknown>>;
}

/** Problems of settings that do not go together, even in a document whose shape is wrong elsewhere. */
export function webhookProblems(document: unknown, checks: WebhookChecks = {}): Found[] {
  return webhooksOf(document).flatMap(({ keys, webhook }) => {
    const found = [
      ...hmacProblems(webhook),
      ...timeProblems(webhook),
      ...answerProblems(webhook),
      ...sizeProblems(webhook, checks),
      ...fileProblems(webhook, checks),
    ];
    return found.map((each) => ({ ...each, keys: [...keys, ...each.keys] }));
  });
}

/** The secret files that a document names, each once, even if it is wrong elsewhere. */
export function secretFilesIn(document: unknown): readonly string[] {
  return [...new Set(webhooksOf(document).flatMap(({ webhook }) => filesOf(webhook).map(([, file]) => file)))];
}

function webhooksOf(document: unknown): Place[] {
  return entriesOf(document, 'functions').flatMap(([name, settings]) =>
    entriesOf({ settings }, 'settings').flatMap(([key, webhook]) =>
      key === 'webhook' && isMap(webhook)
        ? [{ keys: ['functions', name, key], webhook: Object.fromEntries(Object.entries(webhook)) }]
        : [],
    ),
  );
}

function hmacProblems(webhook: Place['webhook']): Found[] {
  if (webhook['verify'] === 'hmac') {
    return 'header' in webhook ? [] : [missing('header')];
  }
  const wrong = hmacSettingNames.filter((name) => name in webhook);
  return wrong.map((name) => ({ keys: [name], problem: 'is only for verify: hmac' }));
}

function timeProblems(webhook: Place['webhook']): Found[] {
  if (webhook['verify'] !== 'hmac') {
    return [];
  }
  if (webhook['signed'] === 'timestamp.body') {
    return 'timestampHeader' in webhook ? [] : [missing('timestampHeader')];
  }
  const problem = 'is only for signed: timestamp.body';
  return 'timestampHeader' in webhook ? [{ keys: ['timestampHeader'], problem }] : [];
}

function missing(name: string): Found {
  return { keys: [name], problem: `is missing; ${expectations.get(name)}` };
}

function answerProblems({ answer }: Place['webhook']): Found[] {
  const { status, body } = Object.fromEntries(entriesOf({ answer }, 'answer'));
  const isWrong = bodiless.has(status) && typeof body === 'string' && body !== '';
  return isWrong ? [{ keys: ['answer', 'body'], problem: `must be empty with status ${status}` }] : [];
}

function sizeProblems({ maxBytes }: Place['webhook'], { maxBodyBytes }: WebhookChecks): Found[] {
  const bytes = typeof maxBytes === 'string' ? parseSize(maxBytes) : undefined;
  return bytes !== undefined && maxBodyBytes !== undefined && bytes > maxBodyBytes
    ? [{ keys: ['maxBytes'], problem: `is more than MAX_BODY_BYTES of the gateway, ${formatSize(maxBodyBytes)}` }]
    : [];
}

function fileProblems(webhook: Place['webhook'], { secretProblem }: WebhookChecks): Found[] {
  return filesOf(webhook).flatMap(([index, file]) => {
    const problem = secretProblem?.(file, String(webhook['verify']));
    return problem === undefined ? [] : [{ keys: ['secretFiles', index], problem: `${file} ${problem}` }];
  });
}

function filesOf({ secretFiles }: Place['webhook']): [index: string, file: string][] {
  const files: unknown[] = Array.isArray(secretFiles) ? secretFiles : [];
  return files.flatMap((file, index) =>
    typeof file === 'string' && isSecretPath(file) ? [[String(index), file] as [string, string]] : [],
  );
}
