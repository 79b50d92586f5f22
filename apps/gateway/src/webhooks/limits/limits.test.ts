import { EventEmitter } from 'node:events';
import type { IncomingMessage } from 'node:http';
import rateLimit from '@fastify/rate-limit';
import { fastify } from 'fastify';
import { describe, expect, test } from 'vitest';
import { BodyBudget } from '../../http/body-budget.ts';
import { IncomingBody } from '../../http/incoming-body.ts';
import { AddressRates } from './address-rates.ts';
import { PartnerRoom, partners } from './partner-room.ts';
import { senderOf } from './sender.ts';

test.each([
  ['203.0.114.9', '203.0.114.9', true],
  ['::ffff:203.0.114.9', '203.0.114.9', true],
  ['2606:4700::1:2:3:4', '2606:4700::', true],
  ['127.0.0.1', '127.0.0.1', false],
  ['::ffff:10.1.2.3', '10.1.2.3', false],
  ['fd00::1', 'fd00::', false],
  [undefined, '', false],
])('%s is a sender at %s, public: %s', (peer, same, isPublic) => {
  expect(senderOf(peer)).toEqual({ block: senderOf(same).block, isPublic });
});

test('each public address has a rate of its own, and private ones have none', async () => {
  await using app = fastify();
  await app.register(rateLimit, { global: false });
  const rates = new AddressRates(app, { requests: 2, windowMs: 60_000 });
  const one = senderOf('203.0.114.9');
  expect([await rates.excess(one), await rates.excess(one), await rates.excess(one)]).toEqual([
    undefined,
    undefined,
    expect.any(Number),
  ]);
  expect(await rates.excess(senderOf('203.0.114.10'))).toBeUndefined();
  const proxy = senderOf('10.0.0.1');
  expect([await rates.excess(proxy), await rates.excess(proxy), await rates.excess(proxy)]).toEqual(
    Array.from({ length: 3 }),
  );
});

const mebibyte = 1024 * 1024;

/** A request whose body has this length, of which nothing has come. */
function requestOf(bytes: number): IncomingMessage {
  return Object.assign(new EventEmitter(), { headers: { 'content-length': String(bytes) } }) as IncomingMessage;
}

describe('the room for bodies of strangers', () => {
  function roomOf(mebibytes: number, options = {}) {
    const budget = new BodyBudget({ limitBytes: mebibytes * mebibyte });
    const room = new PartnerRoom(budget, { waitMs: 10_000, ...options });
    const admit = (block: string, request = requestOf(mebibyte)) => room.admit(request, block);
    return { budget, room, admit };
  }

  function bodyOf(admitted: Awaited<ReturnType<PartnerRoom['admit']>>): IncomingBody {
    expect(admitted).toBeInstanceOf(IncomingBody);
    return admitted as IncomingBody;
  }

  test('is at most two thirds of the budget, and leaves the rest to callers and to other addresses', async () => {
    const { budget, admit } = roomOf(30, { maxWaiting: 0 });
    const admitAll = async (block: string): Promise<number> => {
      const results = await Promise.all(Array.from({ length: 30 }, () => admit(block)));
      return results.filter(({ kind }) => kind === 'incoming').length;
    };
    const first = await admitAll('one');
    const second = await admitAll('two');
    expect(first).toBe(11);
    expect(second).toBeGreaterThan(0);
    expect(await admitAll('two')).toBe(0);
    expect(budget.usedBytes).toBe((first + second) * mebibyte);
    expect(budget.usedBytes).toBeLessThanOrEqual(20 * mebibyte);
    expect(budget.open(6 * mebibyte, () => undefined, 'caller')).toBeDefined();
  });

  test('a body without room waits, and has it as soon as another is released', async () => {
    const { budget, admit } = roomOf(2);
    const first = bodyOf(await admit('one'));
    const waiting = admit('two');
    expect(budget.usedBytes).toBe(mebibyte);
    first.release();
    first.release();
    bodyOf(await waiting).release();
    expect(budget.usedBytes).toBe(0);
  });

  test('a body waits for room that callers have', async () => {
    const { budget, admit } = roomOf(2);
    const share = budget.open(1.5 * mebibyte, () => undefined, 'caller');
    const waiting = admit('one');
    share?.release();
    bodyOf(await waiting).release();
    expect(budget.usedBytes).toBe(0);
  });

  test('a body waits no longer than its time, or than its client', async () => {
    const { budget, admit } = roomOf(2, { waitMs: 20 });
    const first = bodyOf(await admit('one'));
    expect(await admit('two')).toMatchObject({ code: 'overloaded' });
    const request = requestOf(mebibyte);
    const waiting = admit('two', request);
    request.emit('close');
    expect(await waiting).toMatchObject({ code: 'client_disconnected' });
    first.release();
    expect([budget.usedBytes, request.listenerCount('close')]).toEqual([0, 0]);
  });

  test('only so many bodies wait, and half as many of one address', async () => {
    const { admit } = roomOf(2, { maxWaiting: 4 });
    const first = bodyOf(await admit('one'));
    const waiting = [admit('two'), admit('two')];
    expect(await admit('two')).toMatchObject({ code: 'overloaded' });
    waiting.push(admit('three'), admit('three'));
    expect(await admit('four')).toMatchObject({ code: 'overloaded' });
    first.release();
    for (const each of waiting) {
      bodyOf(await each).release();
    }
    bodyOf(await admit('two')).release();
  });

  test('a body that is given up for others frees both budgets', () => {
    let now = 0;
    const budget = new BodyBudget({ limitBytes: 3 * mebibyte, now: () => now });
    const room = new PartnerRoom(budget);
    let isGivenUp = false;
    room.open(mebibyte, () => {
      isGivenUp = true;
    });
    now = 60_000;
    expect(budget.open(2.5 * mebibyte, () => undefined, partners)).toBeDefined();
    expect(isGivenUp).toBe(true);
    expect(budget.usedBytes).toBe(2.5 * mebibyte);
  });
});
