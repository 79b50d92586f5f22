import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PullLedger } from './pull-ledger.ts';

interface Held {
  readonly id: string;
  readonly endsAt: number;
  left: number;
}

const requestMs = 10;
const graceMs = 5;

/** A broker as the ledger must imagine it: it owes calls, pays them in some order and says what it leaves unpaid. */
class ModelBroker {
  readonly ledger = new PullLedger();
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
    this.ledger.request(id, count, this.now + requestMs + graceMs);
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
    this.ledger.received();
  }

  /** Time passes; requests that are over end, with the broker's word or, once in a while, without. */
  pass(ms: number, wordIsLost: boolean): void {
    this.now += ms;
    const over = this.requests.filter(({ endsAt }) => endsAt <= this.now);
    this.requests = this.requests.filter(({ endsAt }) => endsAt > this.now);
    for (const { id, left } of wordIsLost ? [] : over) {
      this.ledger.ended(id, left);
    }
    this.ledger.expire(this.now);
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
  'with a broker that tells all, what is open is what the broker owes (round robin: %s)',
  (rr) => {
    fc.assert(
      fc.property(steps(fc.constant(false)), (all) => {
        const broker = new ModelBroker(rr);
        for (const step of all) {
          take(broker, step);
          expect(broker.ledger.open).toBe(broker.owed);
        }
      }),
    );
  },
);

test.each([true, false])('a lost word is made up for once its request must have ended (round robin: %s)', (rr) => {
  fc.assert(
    fc.property(steps(fc.boolean()), (all) => {
      const broker = new ModelBroker(rr);
      for (const step of all) {
        take(broker, step);
        expect(broker.ledger.open).toBeGreaterThanOrEqual(broker.owed);
      }
      broker.pass(requestMs, true);
      broker.pass(graceMs, true);
      expect(broker.owed).toBe(0);
      expect(broker.ledger.open).toBe(0);
    }),
  );
});

test('a request that ends without a number ends for all that no other request can account for', () => {
  const ledger = new PullLedger();
  ledger.request('a', 5, 100);
  ledger.request('b', 2, 100);
  ledger.ended('a', undefined);
  expect(ledger.open).toBe(2);
  ledger.ended('b', undefined);
  expect(ledger.open).toBe(0);
});

test('the end of a request counts once', () => {
  const ledger = new PullLedger();
  ledger.request('a', 5, 100);
  ledger.request('b', 5, 100);
  ledger.ended('a', 5);
  ledger.ended('a', 5);
  ledger.ended('never asked', 5);
  expect(ledger.open).toBe(5);
});

test('calls that nobody asked for do not make it negative', () => {
  const ledger = new PullLedger();
  ledger.received();
  ledger.request('a', 1, 100);
  ledger.ended('a', 1000);
  ledger.received();
  expect(ledger.open).toBe(0);
});

test('after a loss of the connection nothing is open and old answers mean nothing', () => {
  const ledger = new PullLedger();
  ledger.request('a', 3, 100);
  ledger.clear();
  ledger.request('b', 3, 100);
  ledger.ended('a', 3);
  expect(ledger.open).toBe(3);
});

test('expiry says whether fewer calls may come', () => {
  const ledger = new PullLedger();
  ledger.request('filled', 1, 10);
  ledger.request('lost', 1, 20);
  ledger.received();
  expect(ledger.expire(10)).toBe(false);
  expect(ledger.expire(20)).toBe(true);
});
