import { expect, test } from 'vitest';
import type { Broker } from './broker.ts';
import { BrokerPulse } from './broker-pulse.ts';

/** A broker whose answers come when the test says so. */
function setup() {
  let now = 0;
  const pings: { answer: () => void; lose: () => void }[] = [];
  const listeners: (() => void)[] = [];
  const connection = {
    flush: () => new Promise<void>((answer, lose) => pings.push({ answer, lose: () => lose(new Error('lost')) })),
  };
  const broker = { connected: true, connection, onConnect: (listener: () => void) => listeners.push(listener) };
  const pulse = new BrokerPulse(broker as unknown as Broker, () => now);
  return {
    pulse,
    pings,
    connect: () => {
      for (const listener of listeners) {
        listener();
      }
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

test('a process that has never heard of the broker has been silent for ever', () => {
  expect(setup().pulse.silentForMs).toBe(Number.POSITIVE_INFINITY);
});

test('the age of an answer is counted from its ping, not from its arrival', async () => {
  const { pulse, pings, connect, pass } = setup();
  connect();
  expect(pulse.silentForMs).toBe(0);
  pass(1_000);
  const beat = pulse.beat();
  pass(60_000); // the process is paused, and its socket holds the answer when it resumes
  pings[0]?.answer();
  await beat;
  expect(pulse.silentForMs).toBe(60_000);
  const next = pulse.beat();
  pings[1]?.answer();
  await next;
  expect(pulse.silentForMs).toBe(0);
});

test('a ping that is lost with its connection says nothing', async () => {
  const { pulse, pings, connect, pass } = setup();
  connect();
  pass(500);
  const beat = pulse.beat();
  pings[0]?.lose();
  await beat;
  expect(pulse.silentForMs).toBe(500);
});
