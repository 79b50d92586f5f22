import type { Msg } from '@nats-io/transport-node';
import { describe, expect, test } from 'vitest';
import { type Acknowledgement, acknowledgementPayload, type Delivery, toDelivery } from './delivery.ts';

const reply = '$JS.ACK.CALLS_q.echo.2.7.3.1700000000123456789.5';
const subject = 'calls.q.ready.~.echo.c-1.~.1';
const message = { subject, reply, data: new Uint8Array() } as Msg;

test('a delivery says where it comes from, even if its call cannot be decoded', () => {
  const delivery = toDelivery(message, () => {});
  expect(delivery).toMatchObject({
    callId: 'c-1',
    startTime: '1',
    function: 'echo',
    queue: 'q',
    call: { kind: 'undecodable' },
  });
  expect(delivery?.info).toMatchObject({ deliveries: 2, streamSequence: 7, pending: 5 });
});

/** The header of a call with these fields. */
function withCall(fields: object): Msg {
  const call = {
    v: 1,
    id: 'c-1',
    function: 'echo',
    queue: 'q',
    path: '',
    query: '',
    headers: [],
    startTime: '1',
    retry: 0,
  };
  return { ...message, headers: { get: () => JSON.stringify({ ...call, ...fields }) } } as unknown as Msg;
}

test('a call with another name than its subject cannot be settled, and does not count as one', () => {
  expect(toDelivery(withCall({}), () => {})?.call.kind).toBe('call');
  const others = [{ id: 'c-2' }, { function: 'echo.ns' }, { function: 'a.b.c' }, { queue: 'other' }];
  for (const fields of [...others, { submitter: 'partner' }, { startTime: '2' }]) {
    expect(toDelivery(withCall(fields), () => {})?.call).toEqual({
      kind: 'undecodable',
      problem: 'Asyncfn-Call is that of another call than the subject',
    });
  }
});

test('a call with numbers that cannot be right does not count as one', () => {
  for (const fields of [{ retry: 1e300 }, { generation: 1e300 }, { retry: -1 }, { retry: Number.MAX_SAFE_INTEGER }]) {
    expect(toDelivery(withCall(fields), () => {})?.call.kind).toBe('undecodable');
  }
});

test.each(['a$b.~.1', 'c-1.$.1', 'c-1.~.now'])('a message under %s is filed under its place in the stream', (call) => {
  const odd = toDelivery({ ...message, subject: `calls.q.ready.~.echo.${call}` }, () => {});
  const startTime = '1700000000123000000';
  expect(odd).toMatchObject({ callId: 'message-7', startTime, call: { kind: 'undecodable' } });
});

/** The bytes that a decision on a fresh delivery sends. */
function sentBy(decide: (delivery: Delivery) => void): string[] {
  const sent: string[] = [];
  const send = (to: string, acknowledgement: Acknowledgement): void => {
    expect(to).toBe(reply);
    sent.push(acknowledgementPayload(acknowledgement));
  };
  const delivery = toDelivery(message, send);
  expect(delivery?.settled).toBe(false);
  if (delivery !== undefined) {
    decide(delivery);
  }
  return sent;
}

test("the decisions of a worker go to the broker in JetStream's spelling", () => {
  expect(sentBy((delivery) => delivery.inProgress())).toEqual(['+WPI']);
  expect(sentBy((delivery) => delivery.ack())).toEqual(['+ACK']);
  expect(sentBy((delivery) => delivery.term('no good'))).toEqual(['+TERM no good']);
  expect(sentBy((delivery) => delivery.nak())).toEqual(['-NAK']);
  expect(sentBy((delivery) => delivery.nak(1500))).toEqual(['-NAK {"delay": 1500000000}']);
});

test('the first decision counts', () => {
  const sent = sentBy((delivery) => {
    delivery.ack();
    delivery.nak();
    expect(delivery.settled).toBe(true);
  });
  expect(sent).toEqual(['+ACK']);
});

describe('a call that is delivered again while it is held', () => {
  const later = '$JS.ACK.CALLS_q.echo.1.7.1.1700000000123456789.5';

  /** The decisions that each delivery received. */
  function twice(decide: (first: Delivery, second: Delivery) => void): [to: string, payload: string][] {
    const sent: [string, string][] = [];
    const send = (to: string, acknowledgement: Acknowledgement): void => {
      sent.push([to === reply ? 'first' : 'second', acknowledgementPayload(acknowledgement)]);
    };
    const deliveries = [toDelivery(message, send)!, toDelivery({ ...message, reply: later }, send)!] as const;
    decide(...deliveries);
    return sent;
  }

  test('is settled with its last delivery', () => {
    const sent = twice((first, second) => {
      first.redelivered(second);
      first.inProgress();
      first.ack();
      first.nak();
      expect([first.settled, second.settled]).toEqual([true, true]);
    });
    expect(sent).toEqual([
      ['second', '+WPI'],
      ['second', '+ACK'],
    ]);
  });

  test.each<[string, (delivery: Delivery) => void, string]>([
    ['ack', (delivery) => delivery.ack(), '+ACK'],
    ['given back', (delivery) => delivery.nak(1500), '-NAK {"delay": 1500000000}'],
    ['set aside', (delivery) => delivery.term('no good'), '+TERM no good'],
  ])('is settled once more if it was before: %s', (_, decide, payload) => {
    const sent = twice((first, second) => {
      decide(first);
      first.redelivered(second);
    });
    expect(sent).toEqual([
      ['first', payload],
      ['second', payload],
    ]);
  });
});

test.each([
  [{ ...message, reply: '' }],
  [{ ...message, reply: '_INBOX.x.1' }],
  [{ ...message, subject: '_INBOX.x.1.2' }],
])('what is no delivery is none (%#)', (other) => {
  expect(toDelivery(other, () => {})).toBeUndefined();
});
