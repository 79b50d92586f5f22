import { createSigningSecret, parseSigningSecret } from '@asyncfn/queue-core/webhook';
import { expect, test } from 'vitest';
import { parseSecretFile } from './secret-file.ts';

const [one, two] = [createSigningSecret(), createSigningSecret()];
const keys = [parseSigningSecret(one), parseSigningSecret(two)];

test.each([`${one}\n${two}\n`, `${one},${two}`, `\r\n ${one} ,\t${two}\r\n`])(
  'secrets are read in their order: %#',
  (text) => {
    expect(parseSecretFile(text)).toEqual({ kind: 'keys', keys });
  },
);

test.each([
  ['', 'holds no secret; write a signing secret'],
  [' \n,\n', 'holds no secret'],
  [Array.from({ length: 6 }, createSigningSecret).join('\n'), 'holds 6 secrets, and at most 5 sign'],
  [`${one}\ntop-secret`, 'holds as number 2 something other than a signing secret, whsec_'],
])('a text that is wrong is refused, and is not quoted: %#', (text, problem) => {
  const parsed = parseSecretFile(text);
  expect(parsed).toEqual({ kind: 'refused', problem: expect.stringContaining(problem) });
  expect(JSON.stringify(parsed)).not.toContain('top-secret');
});
