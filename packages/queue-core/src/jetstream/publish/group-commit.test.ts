import { setTimeout as delay } from 'node:timers/promises';
import { headers } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { type PublishResult, type RefusalReason, refused } from '../../publish-result.ts';
import { GroupCommit } from './group-commit.ts';
import type { Outgoing } from './publisher.ts';

/** A publish that waits for the test to decide its result. */
interface Sent {
  readonly message: Outgoing;
  /** The subjects of all its messages, in order. */
  readonly subjects: string[];
  readonly answer: (result: PublishResult) => void;
}

class FakePublisher {
  readonly timeoutMs: number;
  readonly sent: Sent[] = [];

  constructor(timeoutMs = 5_000) {
    this.timeoutMs = timeoutMs;
  }

  publish(message: Outgoing): Promise<PublishResult> {
    const subjects = [...(message.preceding ?? []), message].map(({ subject }) => subject);
    return new Promise((answer) => this.sent.push({ message, subjects, answer }));
  }

  async untilSent(count: number): Promise<Sent> {
    while (this.sent.length < count) {
      await delay(1);
    }
    return this.sent[count - 1]!;
  }
}

function stored(sequence: number): PublishResult {
  return { kind: 'stored', sequence, duplicate: false };
}

function message(subject: string, { bytes = 10, group = 'default' } = {}): Outgoing {
  return { subject, headers: headers(), body: new Uint8Array(bytes), group };
}

function start(publisher: FakePublisher, options: { isWorthIt?: () => boolean; maxWaiting?: number } = {}) {
  const late: number[] = [];
  const groups = new GroupCommit(publisher, { isWorthIt: () => true, onLate: () => late.push(1), ...options });
  const publishMany = (count: number, prefix = 'm') =>
    Array.from({ length: count }, (_, index) => groups.publish(message(`${prefix}${index}`)));
  return { groups, late, publishMany };
}

test('messages that come together are stored as one group, each with its own place in the stream', async () => {
  const publisher = new FakePublisher();
  const results = start(publisher).publishMany(10);
  const sent = await publisher.untilSent(1);
  expect(sent.subjects).toEqual(Array.from({ length: 10 }, (_, index) => `m${index}`));
  sent.answer(stored(110));
  expect(await Promise.all(results)).toEqual(Array.from({ length: 10 }, (_, index) => stored(101 + index)));
});

test('one group is under way while the next gathers', async () => {
  const publisher = new FakePublisher();
  const { publishMany } = start(publisher);
  const first = publishMany(10, 'a');
  await publisher.untilSent(1);
  const second = publishMany(20, 'b');
  await delay(20);
  expect(publisher.sent).toHaveLength(1);
  publisher.sent[0]!.answer(stored(10));
  await Promise.all(first);
  const next = await publisher.untilSent(2);
  expect(next.subjects).toHaveLength(20);
  next.answer(stored(30));
  expect(await Promise.all(second)).toHaveLength(20);
});

test('it waits for callers who have just been answered, but not for long', async () => {
  const publisher = new FakePublisher();
  const { publishMany } = start(publisher);
  const first = publishMany(10, 'a');
  await publisher.untilSent(1);
  void Promise.all(publishMany(5, 'b'));
  await delay(40);
  publisher.sent[0]!.answer(stored(10));
  await Promise.all(first);
  void Promise.all(publishMany(10, 'c'));
  expect((await publisher.untilSent(2)).subjects).toHaveLength(15);
  publisher.sent[1]!.answer(stored(25));
  void Promise.all(publishMany(3, 'd'));
  // No others come; these go alone, because they are few.
  await publisher.untilSent(5);
  expect(publisher.sent.slice(2).map(({ subjects }) => subjects)).toEqual([['d0'], ['d1'], ['d2']]);
});

test('a message that comes alone, few messages and large ones are sent singly, at once', async () => {
  const publisher = new FakePublisher();
  const { groups, publishMany } = start(publisher);
  void Promise.all(publishMany(7));
  await publisher.untilSent(7);
  expect(publisher.sent.every(({ subjects }) => subjects.length === 1)).toBe(true);
  for (const { answer } of publisher.sent) {
    answer(stored(1));
  }
  await delay(5);
  void Promise.all(publishMany(8, 's'));
  void groups.publish(message('large', { bytes: 100_000 }));
  await publisher.untilSent(9);
  expect(publisher.sent.slice(7).map(({ subjects }) => subjects.length)).toEqual([1, 8]);
});

test('small messages do not wait for large ones', async () => {
  const publisher = new FakePublisher();
  const { groups } = start(publisher);
  void groups.publish(message('large', { bytes: 100_000 }));
  await publisher.untilSent(1);
  void groups.publish(message('small'));
  await publisher.untilSent(2);
  expect(publisher.sent.map(({ subjects }) => subjects[0])).toEqual(['large', 'small']);
});

test('queues neither share a group nor wait for one another', async () => {
  const publisher = new FakePublisher();
  const { groups } = start(publisher);
  for (const queue of ['one', 'two']) {
    for (let index = 0; index < 8; index++) {
      void groups.publish(message(`${queue}.${index}`, { group: queue }));
    }
  }
  await publisher.untilSent(2);
  expect(publisher.sent.map(({ subjects }) => subjects[0])).toEqual(['one.0', 'two.0']);
});

test.each<RefusalReason>(['conflict', 'queue_full', 'too_large', 'overloaded', 'unavailable'])(
  'each message of a group that was refused as %s gets an answer of its own',
  async (reason) => {
    const publisher = new FakePublisher();
    const results = start(publisher).publishMany(8);
    (await publisher.untilSent(1)).answer(refused(reason, 'of the group'));
    await publisher.untilSent(9);
    const singles = publisher.sent.slice(1);
    expect(singles.map(({ subjects }) => subjects)).toEqual(Array.from({ length: 8 }, (_, index) => [`m${index}`]));
    expect(singles.map(({ message: { headers: sent } }) => sent.get('Nats-Batch-Id'))).toEqual(Array(8).fill(''));
    for (const [index, { answer }] of singles.entries()) {
      answer(index === 3 ? refused(reason, 'of the message') : stored(index));
    }
    const answers = await Promise.all(results);
    expect(answers[3]).toEqual(refused(reason, 'of the message'));
    expect(answers.filter(({ kind }) => kind === 'stored')).toHaveLength(7);
  },
);

test('a group without an answer is not sent again: it may have been stored', async () => {
  const publisher = new FakePublisher();
  const results = start(publisher).publishMany(8);
  (await publisher.untilSent(1)).answer(refused('timeout', 'no answer'));
  expect(await Promise.all(results)).toEqual(Array.from({ length: 8 }, () => refused('timeout', 'no answer')));
  await delay(10);
  expect(publisher.sent).toHaveLength(1);
});

test('the time limit counts from the arrival of a message, even behind a group that hangs', async () => {
  const publisher = new FakePublisher(100);
  const { publishMany, late } = start(publisher);
  const startedAt = performance.now();
  const first = publishMany(8, 'a');
  await publisher.untilSent(1);
  await delay(50);
  const second = publishMany(8, 'b');
  expect((await Promise.all(first)).map((result) => result.kind === 'refused' && result.reason)).toEqual(
    Array.from({ length: 8 }, () => 'timeout'),
  );
  await Promise.all(second);
  expect(performance.now() - startedAt).toBeLessThan(30_000);
  expect(late.length).toBeGreaterThan(0);
});

test('more messages than may wait are refused, and there is room again once some are answered', async () => {
  const publisher = new FakePublisher();
  const { groups, publishMany } = start(publisher, { maxWaiting: 8 });
  const results = publishMany(8);
  const tooMany = await groups.publish(message('ninth'));
  expect(tooMany).toMatchObject({ kind: 'refused', reason: 'overloaded' });
  (await publisher.untilSent(1)).answer(stored(8));
  await Promise.all(results);
  void groups.publish(message('tenth'));
  expect((await publisher.untilSent(2)).subjects).toEqual(['tenth']);
});

test('if groups do not pay off, every message goes at once', () => {
  const publisher = new FakePublisher();
  void Promise.all(start(publisher, { isWorthIt: () => false }).publishMany(20));
  expect(publisher.sent).toHaveLength(20);
});

test('a message that expects something of its stream goes alone', () => {
  const publisher = new FakePublisher();
  const { groups } = start(publisher);
  for (let index = 0; index < 20; index++) {
    const { group: _, ...alone } = message(`m${index}`);
    void groups.publish(alone);
  }
  expect(publisher.sent).toHaveLength(20);
});
