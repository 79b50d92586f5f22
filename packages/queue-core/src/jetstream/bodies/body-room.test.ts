import { expect, test } from 'vitest';
import { BodyRoom } from './body-room.ts';

/** A broker that says how many bytes it has, and a clock that stands still. */
function open(maxBytes: number | undefined) {
  const broker = { bytes: 0, asked: 0 };
  const streams = {
    info: async () => {
      broker.asked += 1;
      return { state: { bytes: broker.bytes } };
    },
  };
  let now = 0;
  const room = new BodyRoom({ topology: { manager: { streams } as never }, maxBytes, now: () => now });
  return { broker, room, pass: (ms: number) => (now += ms) };
}

test('announced bodies count from the moment that they are admitted, and once', async () => {
  const { room, broker, pass } = open(1_000);
  const first = await room.admit(600);
  expect(await room.admit(600)).toBeUndefined();
  expect(first?.store(600)).toBe(true);
  first?.end();
  expect(room.usedBytes).toBe(600);
  broker.bytes = 650;
  pass(300);
  expect(await room.admit(351)).toBeUndefined();
  expect(await room.admit(350)).toBeDefined();
});

test('a body of unknown length is refused as soon as there is no room for more of it', async () => {
  const { room } = open(1_000);
  const share = await room.admit(0);
  expect(share?.store(700)).toBe(true);
  expect(share?.store(400)).toBe(false);
  expect(share?.store(300)).toBe(true);
});

test('a body that does not come leaves its room', async () => {
  const { room } = open(1_000);
  const share = await room.admit(1_000);
  share?.store(10);
  share?.end();
  share?.end();
  expect(room.usedBytes).toBe(10);
  expect(await room.admit(990)).toBeDefined();
});

test('the broker is asked at most every quarter of a second, and not at all without a limit', async () => {
  const limited = open(1_000);
  await Promise.all([limited.room.admit(1), limited.room.admit(1), limited.room.admit(1)]);
  await limited.room.admit(1);
  expect(limited.broker.asked).toBe(1);
  limited.pass(300);
  await limited.room.admit(1);
  expect(limited.broker.asked).toBe(2);
  const unlimited = open(undefined);
  expect(await unlimited.room.admit(Number.MAX_SAFE_INTEGER)).toBeDefined();
  expect(unlimited.broker.asked).toBe(0);
});
