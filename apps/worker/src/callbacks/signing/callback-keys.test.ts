import { createLogger } from '@asyncfn/service-kit';
import { expect, test } from 'vitest';
import { CallbackKeys } from './callback-keys.ts';
import type { TokenKeys } from './token-secrets.ts';

const common = [Buffer.alloc(32, 1)];
const own = [Buffer.alloc(32, 2), Buffer.alloc(32, 3)];
const tokens: TokenKeys = new Map([
  ['partner', own],
  ['shop', undefined],
]);

function setUp(known: TokenKeys | undefined) {
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const logger = createLogger({ name: 'test', level: 'info', format: 'json', destination });
  const keys = new CallbackKeys({ common, tokens: () => known, logger, now: () => 0 });
  const of = (submitter?: string, ownSecret?: boolean) =>
    keys.of({
      callId: 'call-1',
      function: 'echo',
      ...(submitter !== undefined && { submitter }),
      ...(ownSecret !== undefined && { ownSecret }),
    });
  return { of, lines };
}

test("a token's own secrets sign, and the common ones if it has none or there is no token", () => {
  const { of, lines } = setUp(tokens);
  expect(of('partner', true)).toBe(own);
  expect(of('shop')).toBe(common);
  expect(of()).toBe(common);
  expect(lines).toEqual([]);
});

test('the tokens file at the time of the delivery counts, not at the time of the acceptance', () => {
  const { of, lines } = setUp(tokens);
  expect(of('partner')).toBe(own);
  expect(of('shop', true)).toBe(common);
  expect(lines).toEqual([]);
});

test('the common secrets sign for a token that is gone and had none of its own', () => {
  expect(setUp(tokens).of('gone')).toBe(common);
  expect(setUp(undefined).of('gone')).toBe(common);
});

test('nothing signs for a token that is gone and had secrets of its own, and one log line says so', () => {
  const { of, lines } = setUp(tokens);
  expect([of('gone', true), of('gone', true)]).toEqual([[], []]);
  expect(lines).toMatchObject([
    {
      level: 'error',
      token: 'gone',
      callId: 'call-1',
      msg: expect.stringContaining('its token is not in AUTH_TOKENS_FILE'),
    },
  ]);
});

test('nothing signs for a token with secrets of its own if the worker has no tokens file', () => {
  const { of, lines } = setUp(undefined);
  expect(of('partner', true)).toEqual([]);
  expect(lines).toMatchObject([{ msg: expect.stringContaining('AUTH_TOKENS_FILE of this worker is not set') }]);
});
