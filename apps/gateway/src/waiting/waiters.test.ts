import { expect, test } from 'vitest';
import { type WaiterPlace, Waiters } from './waiters.ts';

function place(waiters: Waiters, name?: string): WaiterPlace {
  const admitted = waiters.admit({ name });
  if (admitted.kind === 'refused') {
    throw new Error(admitted.detail);
  }
  return admitted;
}

test('the total number of waiting requests is limited, whichever tokens they have', () => {
  const waiters = new Waiters({ inAll: 2, perToken: 2 });
  const first = place(waiters, 'a');
  place(waiters);
  expect(waiters.admit({ name: 'b' })).toMatchObject({ code: 'overloaded', headers: { 'Retry-After': '5' } });
  first[Symbol.dispose]();
  place(waiters, 'b');
  expect(waiters.count).toBe(2);
});

test('the number of waiting requests of one token is limited, and others have their places', () => {
  const waiters = new Waiters({ inAll: 10, perToken: 1 });
  const first = place(waiters, 'a');
  expect(waiters.admit({ name: 'a' })).toMatchObject({ code: 'too_many_waiting', headers: { 'Retry-After': '5' } });
  place(waiters, 'b');
  first[Symbol.dispose]();
  place(waiters, 'a');
});

test('a place that is given back twice is one place', () => {
  const waiters = new Waiters({ inAll: 2, perToken: 1 });
  const first = place(waiters, 'a');
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  expect(waiters.count).toBe(0);
});
