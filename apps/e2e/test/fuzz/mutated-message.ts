import type { SeededRandom } from './seeded-random.ts';

/** Values that a field is hardly meant for. */
const oddValues: readonly [unknown, ...unknown[]] = [
  null,
  true,
  -1,
  0,
  1.5,
  1e15,
  Number.MAX_SAFE_INTEGER,
  1e300,
  '',
  '*',
  '>',
  'a.b.c',
  '\u0000',
  '\r\nX-Injected: 1',
  '\u{1f4a5}',
  'x'.repeat(20_000),
  [],
  {},
  [['a']],
  [['', '']],
  [['a b', 'c\r\nd']],
  [['X-Large', 'y'.repeat(20_000)]],
  [[1, 2]],
  'http://127.0.0.1:1/',
  'ftp://127.0.0.1/',
  'http://',
  'not a URL',
  { constructor: 1 },
];

/** A message as it goes to the broker. */
export interface RawMessage {
  readonly subject: string;
  /** The lines of its headers, with the version. */
  readonly headers: Buffer;
  readonly body: Buffer;
}

export interface Sound {
  readonly subject: string;
  readonly headerName: string;
  readonly record: Readonly<Record<string, unknown>>;
}

/** A valid message with one mistake in it: in a field, the JSON, the header lines, the subject or the body. */
export function mutate(sound: Sound, random: SeededRandom): RawMessage {
  const json = random.chance(0.7) ? mutatedRecord(sound.record, random) : damaged(JSON.stringify(sound.record), random);
  const lines = random.chance(0.85)
    ? headerLines(sound.headerName, json)
    : brokenHeaders(sound.headerName, json, random);
  const subject = random.chance(0.8) ? sound.subject : withOddToken(sound.subject, random);
  return { subject, headers: lines, body: randomBody(random) };
}

function mutatedRecord(record: Sound['record'], random: SeededRandom): string {
  const [first = '', ...others] = Object.keys(record);
  const mutated: Record<string, unknown> = { ...record };
  for (let count = 1 + random.below(2); count > 0; count--) {
    const key = random.chance(0.95) ? random.pick([first, ...others]) : '__proto__';
    if (random.chance(0.2)) {
      delete mutated[key];
    } else {
      mutated[key] = random.pick(oddValues);
    }
  }
  return JSON.stringify(mutated);
}

function damaged(text: string, random: SeededRandom): string {
  const from = random.below(text.length);
  const to = Math.min(text.length, from + 1 + random.below(8));
  const inserts: [string, ...string[]] = ['', '"', '{', '}', '[', '\\', '\\u0000', '1e999', 'null', ',', '\u00ff'];
  return text.slice(0, from) + random.pick(inserts) + text.slice(random.chance(0.5) ? from : to);
}

function headerLines(name: string, value: string): Buffer {
  return Buffer.from(`NATS/1.0\r\n${name}: ${value}\r\n\r\n`);
}

function brokenHeaders(name: string, value: string, random: SeededRandom): Buffer {
  const shapes: [string, ...string[]] = [
    'NATS/1.0\r\n\r\n',
    `NATS/1.0\r\n${name}\r\n\r\n`,
    `NATS/1.0\r\n: ${value}\r\n\r\n`,
    `NATS/1.0\r\n${name.toUpperCase()}: ${value}\r\n\r\n`,
    `NATS/1.0\r\n${name}: ${value}\r\n${name}: {}\r\n\r\n`,
    `NATS/1.0\r\nOther: ${'z'.repeat(20_000)}\r\n${name}: ${value}\r\n\r\n`,
    `NATS/1.0 503 No\r\n${name}: ${value}\r\n\r\n`,
    `NATS/1.0\r\n${name}: \u0007${value}\r\n\r\n`,
  ];
  return Buffer.from(random.pick(shapes));
}

/** Another id, or one token more: never another function, whose messages no worker would take. */
function withOddToken(subject: string, random: SeededRandom): string {
  const tokens = subject.split('.');
  const odd: [string, ...string[]] = ['a$b', '~', '@', 'x'.repeat(200), '\u00e9', '%00', 'another-id'];
  tokens[tokens.length - (tokens[0] === 'calls' ? 1 : 2)] = `${random.pick(odd)}${random.below(1_000_000)}`;
  return tokens.join('.');
}

function randomBody(random: SeededRandom): Buffer {
  const size = random.chance(0.98) ? random.below(200) : random.below(200_000);
  return Buffer.alloc(size, random.below(256));
}
