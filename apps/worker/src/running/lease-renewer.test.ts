import { type Delivery, initialAckWaitMs } from '@asyncfn/queue-core/jetstream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { LeaseRenewer } from './lease-renewer.ts';

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

/** A delivery that counts how often its lease is renewed. */
function countedDelivery(): { readonly delivery: Delivery; readonly renewals: () => number } {
  let count = 0;
  const nothing = (): void => {};
  const info = { stream: 'CALLS_q', consumer: 'f', deliveries: 1, streamSequence: 1, storedAtMs: 0, pending: 0 };
  const delivery: Delivery = {
    callId: 'a',
    startTime: '1700000000000000000',
    function: 'f',
    queue: 'q',
    info,
    call: { kind: 'undecodable', problem: 'of no importance here' },
    rawHeader: '',
    rawBody: new Uint8Array(),
    settled: false,
    ack: nothing,
    nak: nothing,
    inProgress: () => {
      count += 1;
    },
    term: nothing,
    redelivered: nothing,
    dropBody: nothing,
  };
  return { delivery, renewals: () => count };
}

test('a lease is renewed before it ends, again and again, until it is released', () => {
  const leases = new LeaseRenewer(9_000);
  const { delivery, renewals } = countedDelivery();
  leases.keep(delivery);
  vi.advanceTimersByTime(8_999);
  expect(renewals()).toBe(1);
  vi.advanceTimersByTime(6_000);
  expect(renewals()).toBe(3);
  leases.release(delivery);
  vi.advanceTimersByTime(60_000);
  expect(renewals()).toBe(3);
});

test('a lease that is shorter than ACK_WAIT, because a gateway has set it, is renewed in time as well', () => {
  const leases = new LeaseRenewer(300_000);
  const { delivery, renewals } = countedDelivery();
  leases.keep(delivery);
  vi.advanceTimersByTime(initialAckWaitMs - 1);
  expect(renewals()).toBe(1);
});

test('all leases are renewed at once after an outage, even those of calls that have only begun', () => {
  const leases = new LeaseRenewer(9_000);
  const [old, young] = [countedDelivery(), countedDelivery()];
  leases.keep(old.delivery);
  vi.advanceTimersByTime(3_000);
  leases.keep(young.delivery);
  leases.renew();
  expect([old.renewals(), young.renewals()]).toEqual([1, 1]);
});

test('the lease of a short call costs nothing', () => {
  const leases = new LeaseRenewer(9_000);
  for (let calls = 0; calls < 100; calls++) {
    const { delivery, renewals } = countedDelivery();
    leases.keep(delivery);
    vi.advanceTimersByTime(2_999);
    leases.release(delivery);
    expect(renewals()).toBe(0);
  }
});

test('it knows all leases that the worker holds, old and new', () => {
  const leases = new LeaseRenewer(9_000);
  const [old, young, gone] = [countedDelivery().delivery, countedDelivery().delivery, countedDelivery().delivery];
  leases.keep(old);
  leases.keep(gone);
  vi.advanceTimersByTime(3_000);
  leases.keep(young);
  leases.release(gone);
  expect(leases.deliveries()).toEqual([old, young]);
});

test('a stop ends the renewing, and is legal before the first lease', () => {
  const leases = new LeaseRenewer(9_000);
  leases.stop();
  const { delivery, renewals } = countedDelivery();
  leases.keep(delivery);
  leases.stop();
  vi.advanceTimersByTime(90_000);
  expect(renewals()).toBe(0);
});
