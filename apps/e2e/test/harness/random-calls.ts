import { createRandom, integerBelow, type Random } from '@asyncfn/testkit';
import { onTestFailed } from 'vitest';

/** Seeds from `E2E_SEED`, else at random; a failed test prints the seed. */
export function seededRandom(): Random {
  const seed = Number(process.env['E2E_SEED'] ?? Math.floor(Math.random() * 2 ** 32));
  onTestFailed(() => void process.stderr.write(`to repeat: E2E_SEED=${seed}\n`));
  return createRandom(seed);
}

/** Any bytes, between none and `maxBytes`. */
export function randomBody(random: Random, maxBytes: number): Buffer {
  const body = Buffer.allocUnsafe(integerBelow(random, maxBytes + 1));
  let at = 0;
  for (; at + 4 <= body.length; at += 4) {
    body.writeUInt32LE(integerBelow(random, 2 ** 32), at);
  }
  for (; at < body.length; at++) {
    body[at] = integerBelow(random, 256);
  }
  return body;
}

const visible = range(0x21, 0x7e);
const upperHalf = range(0x80, 0xff);
/** All characters that a header's value may have between its first and last one (RFC 9110, 5.5), in latin1. */
const inValue = [...visible, ...upperHalf, ' ', '\t'];
const inTarget = visible.filter((char) => char !== '#');
const inName = "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ".split('');

/** Up to `maxCount` headers of any name and value that HTTP allows. */
export function randomHeaders(random: Random, maxCount: number): Record<string, string> {
  const headers = Array.from({ length: integerBelow(random, maxCount + 1) }, (_, index): [string, string] => [
    `X-${index}-${pick(random, inName, 20)}`,
    `${pick(random, visible, 1)}${pick(random, inValue, 100)}${pick(random, visible, 1)}`,
  ]);
  return Object.fromEntries(headers);
}

/** A sub-path or none, and a query or none, with every character that is valid in a request line. */
export function randomTarget(random: Random): string {
  const segment = (): string => `/${pick(random, inTarget, 12).replace(/[?./\\%]/g, '-')}`;
  const path = random() < 0.5 ? '' : `${segment()}${segment()}`;
  return random() < 0.3 ? path : `${path}?${pick(random, inTarget, 200)}`;
}

function pick(random: Random, from: readonly string[], count: number): string {
  return Array.from({ length: count }, () => from[integerBelow(random, from.length)]).join('');
}

function range(first: number, last: number): string[] {
  return Array.from({ length: last - first + 1 }, (_, index) => String.fromCharCode(first + index));
}
