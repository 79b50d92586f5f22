import fc from 'fast-check';
import { expect, test } from 'vitest';
import { OutstandingPulls } from './outstanding-pulls.ts';

interface Held {
  readonly id: string;
  readonly endsAt: number;
  left: number;
}

const requestMs = 10;
const graceMs = 5;

/** A broker that owes calls, delivers them in some order and says which ones it does not deliver. */
class ModelBroker {
  readonly pulls = new OutstandingPulls();
  readonly roundRobin: boolean;
  now = 0;
  requests: Held[] = [];
  #lastId = 0;

  constructor(roundRobin: boolean) {
    this.roundRobin = roundRobin;
  }

  get owed(): number {
    return this.requests.reduce((sum, { left }) => sum + left, 0);
  }

  request(count: number): void {
    const id = String(++this.#lastId);
    this.requests.push({ id, left: count, endsAt: this.now + requestMs });
    this.pulls.request(id, count, this.now + requestMs + graceMs);
  }

  deliver(): void {
    const request = this.requests.shift();
    if (request === undefined) {
      return;
    }
    request.left -= 1;
    if (request.left > 0) {
      this.requests[this.roundRobin ? 'push' : 'unshift'](request);
    }
    this.pulls.received();
  }

  /** Time passes; requests that are over end, with a message of the broker or, once in a while, without. */
  pass(ms: number, wordIsLost: boolean): void {
    this.now += ms;
    const over = this.requests.filter(({ endsAt }) => endsAt <= this.now);
    this.requests = this.requests.filter(({ endsAt }) => endsAt > this.now);
    for (const { id, left } of wordIsLost ? [] : over) {
      this.pulls.ended(id, left);
    }
    this.pulls.expire(this.now);
  }
}

type Step =
  | { readonly do: 'request'; readonly count: number }
  | { readonly do: 'deliver'; readonly count: number }
  | { readonly do: 'pass'; readonly ms: number; readonly wordIsLost: boolean };

function steps(wordIsLost: fc.Arbitrary<boolean>): fc.Arbitrary<Step[]> {
  const count = fc.integer({ min: 1, max: 20 });
  return fc.array(
    fc.oneof(
      fc.record({ do: fc.constant('request' as const), count }),
      fc.record({ do: fc.constant('deliver' as const), count }),
      fc.record({ do: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: requestMs }), wordIsLost }),
    ),
    { maxLength: 60 },
  );
}

function take(broker: ModelBroker, step: Step): void {
  if (step.do === 'request') {
    broker.request(step.count);
  } else if (step.do === 'deliver') {
    for (let n = 0; n < step.count; n++) {
      broker.deliver();
    }
  } else {
    broker.pass(step.ms, step.wordIsLost);
  }
}

test.each([true, false])(
  'with a broker that reports everything, the outstanding calls are those that it owes (round robin: %s)',
  (rr) => {
    fc.assert(
      fc.property(steps(fc.constant(false)), (all) => {
        const broker = new ModelBroker(rr);
        for (const step of all) {
          take(broker, step);
          expect(broker.pulls.open).toBe(broker.owed);
        }
      }),
    );
  },
);

test.each([true, false])('a lost message is made up for once its request must have ended (round robin: %s)', (rr) => {
  fc.assert(
    fc.property(steps(fc.boolean()), (all) => {
      const broker = new ModelBroker(rr);
      for (const step of all) {
        take(broker, step);
        expect(broker.pulls.open).toBeGreaterThanOrEqual(broker.owed);
      }
      broker.pass(requestMs, true);
      broker.pass(graceMs, true);
      expect(broker.owed).toBe(0);
      expect(broker.pulls.open).toBe(0);
    }),
  );
});

test('a request that ends without a number ends for all calls that no other request can account for', () => {
  const pulls = new OutstandingPulls();
  pulls.request('a', 5, 100);
  pulls.request('b', 2, 100);
  pulls.ended('a', undefined);
  expect(pulls.open).toBe(2);
  pulls.ended('b', undefined);
  expect(pulls.open).toBe(0);
});

test('the end of a request counts once', () => {
  const pulls = new OutstandingPulls();
  pulls.request('a', 5, 100);
  pulls.request('b', 5, 100);
  pulls.ended('a', 5);
  pulls.ended('a', 5);
  pulls.ended('never asked', 5);
  expect(pulls.open).toBe(5);
});

test('calls that were not requested do not make it negative', () => {
  const pulls = new OutstandingPulls();
  pulls.received();
  pulls.request('a', 1, 100);
  pulls.ended('a', 1000);
  pulls.received();
  expect(pulls.open).toBe(0);
});

test('after the connection was lost, nothing is outstanding and old answers mean nothing', () => {
  const pulls = new OutstandingPulls();
  pulls.request('a', 3, 100);
  pulls.clear();
  pulls.request('b', 3, 100);
  pulls.ended('a', 3);
  expect(pulls.open).toBe(3);
});

test('expiry says whether fewer calls may come', () => {
  const pulls = new OutstandingPulls();
  pulls.request('filled', 1, 10);
  pulls.request('lost', 1, 20);
  pulls.received();
  expect(pulls.expire(10)).toBe(false);
  expect(pulls.expire(20)).toBe(true);
});
