import { createHmac } from 'node:crypto';
import { type SeededRandom, seededRandom } from './seeded-random.ts';

export interface FuzzTarget {
  /** A function that exists. */
  readonly name: string;
  /** `Authorization` of a token with all rights. */
  readonly authorization: string;
}

interface Draft {
  method: string;
  target: string;
  version: string;
  readonly headers: [name: string, value: string][];
  body: Buffer;
}

/** Signs the webhooks of the fuzzed function. */
export const webhookSecret = 'fuzz secret';

/** The request of this number: the bytes of a valid one, with mistakes in any place. The same for the same seed. */
export function mutatedRequest(seed: number, index: number, target: FuzzTarget): Buffer {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) + index);
  const draft = goodRequest(random, target);
  for (let faults = random.below(3); faults > 0; faults--) {
    random.pick(draftMutations)(draft, random);
  }
  let bytes = render(draft);
  for (let faults = random.chance(0.3) ? 1 + random.below(3) : 0; faults > 0; faults--) {
    bytes = random.pick(byteMutations)(bytes, random);
  }
  return bytes;
}

function goodRequest(random: SeededRandom, { name, authorization }: FuzzTarget): Draft {
  const [method, target] = random.pick([
    ['POST', `/async-function/${name}`],
    ['POST', `/async-function/${name}/a/b?x=1&y=%20`],
    ['POST', `/async-function/${name}/?callback=%E4&x[]=1`],
    ['POST', `/async-function/${name}.ns/p`],
    ['POST', `/webhook/${name}/a?x=1`],
    ['POST', '/webhook/unknown'],
    ['GET', `/webhook/${name}?hub.mode=subscribe&hub.challenge=1&hub.verify_token=x`],
    ['GET', '/healthz'],
    ['GET', '/system/dead-letters?limit=5'],
    ['GET', '/system/dead-letters/some-call'],
    ['POST', '/system/dead-letters/some-call/replay'],
    ['DELETE', '/system/dead-letters/some-call?kind=call'],
    ['GET', '/openapi.json'],
    ['GET', `/system/functions/${name}`],
    ['PUT', '/system/functions/other'],
    ['POST', '/system/functions/other/pause'],
    ['GET', '/system/queues/default'],
    ['GET', `/system/scaling/${name}`],
    ['GET', `/async-function/some-call?wait=0s`],
    ['DELETE', '/async-function/some-call'],
  ]);
  const body = method === 'POST' ? random.bytes(random.below(600)) : Buffer.alloc(0);
  const headers: Draft['headers'] = [
    ['Host', 'localhost'],
    ['Authorization', authorization],
    ['Content-Type', 'application/octet-stream'],
  ];
  if (random.chance(0.5)) {
    headers.push(['Connection', 'close']);
  }
  if (target.startsWith('/webhook/')) {
    headers.push(['X-Hub-Signature-256', `sha256=${createHmac('sha256', webhookSecret).update(body).digest('hex')}`]);
    headers.push(['X-GitHub-Delivery', String(random.below(10))]);
  }
  return { method, target, version: 'HTTP/1.1', headers, body };
}

const odd = [
  '',
  ' ',
  '\t',
  '\0',
  '\r',
  '\n',
  '*',
  '>',
  '.',
  '..',
  '../..',
  '%',
  '%00',
  '%zz',
  '%2e%2e%2f',
  '$SYS',
  'Nats-Rollup: all',
  '\xff\xfe',
  'ä',
  '{}',
  '[[[[',
  '"',
  '-1',
  '0',
  '1e999',
  '99999999999999999999',
  'NaN',
  'null',
  '__proto__',
  'constructor',
  'http://127.0.0.1:1/',
  'http://[::1',
  'Bearer ',
  'Basic Og==',
  '\u2028',
] as const satisfies readonly [string, ...string[]];

const knownHeaders = [
  'X-Callback-Url',
  'X-Call-Id',
  'X-Max-Retries',
  'X-Label',
  'X-Timeout',
  'X-Delay',
  'X-Not-Before',
  'X-Expires-In',
  'Idempotency-Key',
  'X-Function-Authorization',
  'X-Function-Status',
  'X-Start-Time',
  'X-Retry',
  'X-Replays',
  'X-Parent-Call-Id',
  'X-Chain-Depth',
  'traceparent',
  'tracestate',
  'Expect',
  'Content-Length',
  'Transfer-Encoding',
  'Content-Encoding',
  'Connection',
  'Upgrade',
  'Host',
  'Authorization',
  'X-Forwarded-For',
  'Nats-Msg-Id',
  'Asyncfn-Call',
  'Range',
  'Cookie',
] as const satisfies readonly [string, ...string[]];

type DraftMutation = (draft: Draft, random: SeededRandom) => void;

const draftMutations: readonly [DraftMutation, ...DraftMutation[]] = [
  (draft, random) => {
    draft.method = random.pick(['GET', 'PUT', 'TRACE', 'CONNECT', 'OPTIONS', 'PROPFIND', 'post', 'HEAD', 'X', '']);
  },
  (draft, random) => {
    draft.version = random.pick(['HTTP/1.0', 'HTTP/0.9', 'HTTP/2.0', 'HTTP/1.2', 'HTTP', '', 'ICE/1.0']);
  },
  (draft, random) => {
    draft.target = insert(draft.target, random, random.pick(odd));
  },
  (draft, random) => {
    draft.target = `/async-function/${random.pick(odd)}${random.chance(0.5) ? `?${random.pick(odd)}` : ''}`;
  },
  (draft, random) => {
    draft.target = random.pick([
      '*',
      'http://other/x',
      '//',
      '/',
      '',
      '?',
      '/docs/../healthz',
      '/async-function',
      'a:1',
    ]);
  },
  (draft, random) => {
    draft.target += `${random.pick(['/', '?', '&', '%'])}${'x'.repeat(random.below(17_000))}`;
  },
  (draft, random) => {
    draft.headers.push([random.pick(knownHeaders), random.pick(odd)]);
  },
  (draft, random) => {
    draft.headers.push([random.pick(knownHeaders), random.bytes(random.below(40)).toString('latin1')]);
  },
  (draft, random) => {
    draft.headers.push([random.pick(odd), 'value'], ['x', random.pick(odd)]);
  },
  (draft, random) => {
    const count = random.below(3_000);
    draft.headers.push(...Array.from({ length: count }, (): [string, string] => ['a', '']));
  },
  (draft, random) => {
    // Longer or shorter than the body, or than any limit.
    draft.headers.push(['Content-Length', String(random.pick([0, 1, draft.body.length + 1, 2 ** 21, 2 ** 40]))]);
  },
  (draft, random) => {
    const size = draft.body.length.toString(16);
    draft.body = Buffer.concat([
      Buffer.from(`${size}\r\n`),
      draft.body,
      Buffer.from(`\r\n${random.pick(['0', '-1', 'z', ''])}\r\n\r\n`),
    ]);
    draft.headers.push([
      'Transfer-Encoding',
      random.pick(['chunked', 'Chunked', 'gzip, chunked', 'chunked, identity']),
    ]);
  },
  (draft, random) => {
    draft.headers.splice(random.below(draft.headers.length), 1);
  },
  (draft, random) => {
    draft.headers.push(...draft.headers.slice(0, 1 + random.below(3)));
  },
  (draft, random) => {
    draft.body = Buffer.from(random.pick(['{"limit":1}', '{"limit":-1}', '{', '[]', 'null', '{"__proto__":{}}']));
  },
  (draft, random) => {
    draft.body = random.bytes(random.below(3_000));
  },
];

type ByteMutation = (bytes: Buffer, random: SeededRandom) => Buffer;

const byteMutations: readonly [ByteMutation, ...ByteMutation[]] = [
  // A bit, a byte, a stretch of bytes.
  (bytes, random) => withByte(bytes, random.below(bytes.length), (byte) => byte ^ (1 << random.below(8))),
  (bytes, random) => withByte(bytes, random.below(bytes.length), () => random.below(256)),
  (bytes, random) => splice(bytes, random.below(bytes.length), 0, random.bytes(1 + random.below(20))),
  (bytes, random) => splice(bytes, random.below(bytes.length), 1 + random.below(20), Buffer.alloc(0)),
  (bytes, random) => splice(bytes, random.below(bytes.length), 0, Buffer.from(random.pick(odd), 'latin1')),
  (bytes, random) => (random.chance(0.2) ? bytes.subarray(0, 1 + random.below(bytes.length)) : bytes),
  (bytes, random) => (random.chance(0.3) ? Buffer.concat([bytes, bytes]) : bytes),
];

function render({ method, target, version, headers, body }: Draft): Buffer {
  const framed = headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
    ? headers
    : [...headers, ['Content-Length', String(body.length)]];
  const lines = framed.map(([name, value]) => `${name}: ${value}\r\n`);
  return Buffer.concat([Buffer.from(`${method} ${target} ${version}\r\n${lines.join('')}\r\n`, 'latin1'), body]);
}

function insert(text: string, random: SeededRandom, piece: string): string {
  const at = random.below(text.length + 1);
  return text.slice(0, at) + piece + text.slice(at);
}

function withByte(bytes: Buffer, at: number, change: (byte: number) => number): Buffer {
  const changed = Buffer.from(bytes);
  changed[at] = change(changed[at] ?? 0);
  return changed;
}

function splice(bytes: Buffer, at: number, remove: number, add: Buffer): Buffer {
  return Buffer.concat([bytes.subarray(0, at), add, bytes.subarray(at + remove)]);
}
