import type { DeadLetterPage } from '@asyncfn/queue-core/jetstream';
import { eventually } from '@asyncfn/testkit';
import { Pool } from 'undici';
import { expect, onTestFinished, test } from 'vitest';
import { startTestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const noisy = testToken('noisy', { scopes: ['admin'] });
const calm = testToken('calm', { scopes: ['admin'] });
const emptyPage: DeadLetterPage = { entries: [], next: undefined };

test("a token that requests many lists gets some of them at once, and other tokens' lists come in between", async () => {
  const tokens = tokensOf([noisy, calm]);
  await using gateway = await startTestGateway({ tokens: () => tokens });
  const ends: (() => void)[] = [];
  gateway.deadLetters.list = () => new Promise((resolve) => ends.push(() => resolve(emptyPage)));
  const pool = new Pool(gateway.url, { connections: 64 });
  onTestFinished(() => pool.destroy());
  const list = async ({ bearer }: typeof noisy) => {
    const answer = await pool.request({
      method: 'GET',
      path: '/system/dead-letters',
      headers: { authorization: bearer },
    });
    await answer.body.dump();
    return answer.statusCode;
  };
  const flood = Array.from({ length: 50 }, () => list(noisy));
  await eventually(() => ends.length === 4);
  const others = Array.from({ length: 5 }, () => list(calm));
  await eventually(() => ends.length === 8);
  // Requests that began earliest end first: all of the other token, none of the flood.
  for (let ended = 0; ended < 5; ended += 1) {
    ends.pop()?.();
    await eventually(() => ends.length === (ended === 0 ? 8 : 8 - ended));
  }
  expect(await Promise.all(others)).toEqual([200, 200, 200, 200, 200]);
  const all = Promise.all(flood);
  let isOver = false;
  void all.then(() => {
    isOver = true;
  });
  await eventually(() => {
    ends.pop()?.();
    return isOver;
  });
  expect(new Set(await all)).toEqual(new Set([200]));
});
