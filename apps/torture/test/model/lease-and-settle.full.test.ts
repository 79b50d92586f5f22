import { describe, expect, test } from 'vitest';
import { type Exploration, explore } from './explore.ts';
import { leaseAndSettle } from './lease-and-settle.ts';
import type { Bounds, Variant, World } from './world.ts';

const calm: Bounds = { maxRetries: 1, crashes: 0, expiries: 0, lostAcks: 0, cancel: false };

function explored(bounds: Partial<Bounds>, variant: Variant = {}): Exploration<World> {
  return explore(leaseAndSettle({ ...calm, ...bounds }, variant));
}

describe('one call and two workers: it has one end, its caller hears of it, and the queue is empty', () => {
  test.each<[string, Partial<Bounds>]>([
    ['while nothing breaks, with every attempt made once', { maxRetries: 2 }],
    ['whichever two processes die, between whichever steps', { crashes: 2 }],
    ['when a lease runs out under a worker that goes on, and one process dies', { crashes: 1, expiries: 1 }],
    ['when two leases run out under workers that go on', { expiries: 2 }],
    ['when a confirmation gets lost, and a process dies', { crashes: 1, lostAcks: 1 }],
    ['when a lease runs out, and a confirmation gets lost', { expiries: 1, lostAcks: 1 }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });
});

describe('deliberate mistakes that the model finds', () => {
  interface Mistake {
    readonly mistake: string;
    readonly variant: Variant;
    readonly bounds: Partial<Bounds>;
    readonly problem: string;
    /** The last steps of the shortest way to the problem. */
    readonly steps: readonly string[];
  }

  test.each<Mistake>([
    {
      mistake: 'with a 202 before the PubAck',
      variant: { answerBeforePubAck: true },
      bounds: {},
      problem: 'a 202 for a call that is not stored (P1)',
      steps: ['gateway publishes'],
    },
    {
      mistake: 'with an acknowledgement before the invocation',
      variant: { ackBeforeInvoke: true },
      bounds: { crashes: 1 },
      problem: 'a stored call without an end (P2)',
      steps: ['worker 0 takes attempt 0', 'worker 0 dies'],
    },
    {
      mistake: 'with an acknowledgement before the outcome',
      variant: { ackBeforeOutcome: true },
      bounds: { crashes: 1 },
      problem: 'a stored call without an end (P2)',
      steps: ['worker 0 has a success', 'worker 0 dies'],
    },
    {
      mistake: 'with an ack before the callback',
      variant: { ackBeforeCallback: true },
      bounds: { crashes: 1 },
      problem: 'no callback was sent',
      steps: ['worker 0 records that it succeeded', 'worker 0 dies'],
    },
    {
      mistake: 'with a callback before the outcome',
      variant: { callbackBeforeOutcome: true },
      bounds: {},
      problem: 'the receiver is told of an end that is not on record',
      steps: ['worker 0 has a success'],
    },
    {
      mistake: 'with an outcome that is recorded whether there is one or not',
      variant: { uncheckedOutcome: true },
      bounds: { expiries: 1 },
      problem: 'two ends',
      steps: [],
    },
    {
      mistake: 'with a redelivered call that is invoked without a look',
      variant: { noLook: true },
      bounds: { crashes: 1 },
      problem: 'invoked although it has ended',
      steps: ['worker 0 records that it succeeded', 'worker 0 dies'],
    },
    {
      mistake: 'with a retry that is invoked without a look',
      variant: { blindRetry: true },
      bounds: { expiries: 1 },
      problem: 'invoked although it has ended',
      steps: ['schedule puts attempt 1 on the queue'],
    },
    {
      mistake: 'with a retry that is stored whatever the stream holds',
      variant: { uncheckedRetry: true },
      bounds: { expiries: 1 },
      problem: 'more attempts were made again than leases were lost (P3)',
      steps: ['worker 0 stores the retry', 'worker 1 stores the retry'],
    },
    {
      mistake: 'with a look for the outcome before that for a newer message',
      variant: { endBeforeNewer: true },
      bounds: { expiries: 1 },
      problem: 'invoked although it has ended',
      steps: ['worker 1 looks for the end', 'worker 1 looks for a newer message'],
    },
    {
      mistake: 'with an ack by the worker that comes second',
      variant: { ackOnConflict: true },
      bounds: { crashes: 1, expiries: 1 },
      problem: 'no callback was sent',
      steps: ['worker 1 finds that it has ended'],
    },
  ])('$mistake', ({ variant, bounds, problem, steps }) => {
    const { counterexample } = explored(bounds, variant);
    expect(counterexample?.problem).toBe(problem);
    expect(counterexample?.steps).toEqual(expect.arrayContaining([...steps]));
    expect(explored(bounds).counterexample).toBeUndefined();
  });
});

describe('a call that is cancelled meanwhile: once its client was told so, no attempt begins', () => {
  test.each<[string, Partial<Bounds>]>([
    ['while nothing breaks', { cancel: true }],
    ['when a lease runs out under a worker that goes on', { cancel: true, expiries: 1 }],
    ['when a confirmation gets lost', { cancel: true, lostAcks: 1 }],
    ['whichever process dies, between whichever steps', { cancel: true, crashes: 1 }],
    // With a retry there are a million states; the rule holds there too.
    [
      'when a process dies, and a lease runs out under a worker that goes on',
      { cancel: true, crashes: 1, expiries: 1, maxRetries: 0 },
    ],
  ])('%s', (_, bounds) => {
    expect(explored(bounds).counterexample).toBeUndefined();
  });

  test('would have no end if the previous attempt passed for the retry that its dead canceller has removed', () => {
    const { counterexample } = explored({ cancel: true, crashes: 1 }, { sweepBlindly: true });
    expect(counterexample?.problem).toBe('a stored call without an end (P2)');
    expect(counterexample?.steps).toContain('sweeper finishes what it left');
  });

  test('would get no callback for an end that came first, if it were not put back and its worker died', () => {
    const bounds = { cancel: true, crashes: 1 };
    const { counterexample } = explored(bounds, { keepRemoved: true });
    expect(counterexample?.problem).toBe('no callback was sent');
    expect(counterexample?.steps).toContain('canceller takes it out of the queue');
  });

  test('loses what follows its real end only if its canceller and its worker die at the same moment', () => {
    const { counterexample } = explored({ cancel: true, crashes: 2 });
    expect(counterexample?.problem).toBe('no callback was sent');
    const deaths = counterexample?.steps.filter((step) => step.endsWith('dies'));
    expect(deaths?.toSorted()).toEqual(['canceller dies', expect.stringMatching(/^worker \d dies$/)]);
  });

  test('would be invoked after that if it were not taken out of the queue first', () => {
    const { counterexample } = explored({ cancel: true }, { cancelInPlace: true });
    expect(counterexample?.problem).toBe('invoked although it has been cancelled');
    expect(counterexample?.steps.slice(-2)).toEqual(['canceller records the end', 'worker 0 takes attempt 0']);
  });

  test('would be invoked after that as well if workers followed the intents: they learn of them too late', () => {
    const { counterexample } = explored({ cancel: true }, { cancelInPlace: true, followIntents: true });
    expect(counterexample?.problem).toBe('invoked although it has been cancelled');
    expect(counterexample?.steps).not.toContain('worker 0 learns of the intent');
  });

  test.each<[string, Variant]>([
    ['the end came first, even without an intent', { cancelInPlace: true, withoutIntent: true }],
    ['the end came first and workers followed the intents', { cancelInPlace: true, followIntents: true }],
  ])('is invoked once more after its canceller has died, where %s', (_, variant) => {
    const bounds = { cancel: true, untilAnswered: true, maxRetries: 0 };
    expect(explored(bounds, variant).counterexample).toBeUndefined();
    const { counterexample } = explored({ ...bounds, crashes: 1 }, variant);
    expect(counterexample?.problem).toBe('invoked although it has been cancelled');
    expect(counterexample?.steps.slice(-3)).toEqual([
      'canceller records the end',
      'canceller dies',
      'worker 0 takes attempt 0',
    ]);
    expect(explored({ ...bounds, crashes: 1 }).counterexample).toBeUndefined();
  });
});

describe('ends that are forgotten after a while: only when nothing of their call is left', () => {
  test.each<[string, Partial<Bounds>]>([
    ['while nothing breaks', { lapses: 2 }],
    ['whichever process dies', { lapses: 1, crashes: 1 }],
    ['when a lease runs out under a worker that goes on', { lapses: 2, expiries: 1 }],
    // With a retry there are a quarter of a million states; the rule holds there too.
    [
      'when a process dies, and a lease runs out under a worker that goes on',
      { lapses: 1, crashes: 1, expiries: 1, maxRetries: 0 },
    ],
    ['when two leases run out under workers that go on', { lapses: 1, expiries: 2, maxRetries: 0 }],
    ['when the call is cancelled', { lapses: 1, cancel: true }],
  ])('%s', (_, bounds) => {
    const { counterexample, states } = explored(bounds);
    expect(counterexample).toBeUndefined();
    expect(states).toBeGreaterThan(100);
  });

  interface Oblivion {
    readonly mistake: string;
    readonly variant: Variant;
    readonly bounds: Partial<Bounds>;
    readonly problem: string;
    /** The last step of the shortest way to the problem. */
    readonly last: string;
  }

  test.each<Oblivion>([
    {
      mistake: 'forgotten by age, while their callbacks wait',
      variant: { forgetByAge: true },
      bounds: { lapses: 1 },
      problem: 'an end is forgotten while its callback waits',
      last: 'pruner finds that nothing is left of the call',
    },
    {
      mistake: 'forgotten while a gateway is about to cancel the call',
      variant: { forgetBesideIntent: true },
      bounds: { lapses: 1, cancel: true },
      problem: 'two ends',
      last: 'sweeper finishes what is late',
    },
    {
      mistake: 'recorded without proof that the message is still there',
      variant: { recordUnsure: true },
      bounds: { lapses: 1, expiries: 1 },
      problem: 'two ends',
      last: 'worker 1 records that it succeeded',
    },
    {
      mistake: 'recorded after a look for the message, and for another end only then',
      variant: { messageBeforeEnd: true },
      bounds: { lapses: 1, expiries: 1 },
      problem: 'two ends',
      last: 'worker 1 records that it succeeded',
    },
    {
      mistake: 'missed by a worker whose message has gone',
      variant: { invokeGone: true },
      bounds: { lapses: 1, expiries: 1 },
      problem: 'invoked although it has ended',
      last: 'worker 1 looks for the end',
    },
    {
      mistake: 'missed by a worker that has stood still with the call',
      variant: { beginUnsure: true },
      bounds: { lapses: 1, expiries: 1 },
      problem: 'invoked although it has ended',
      last: 'worker 0 begins',
    },
    {
      mistake: 'overtaken by a cancel that was decided long ago',
      variant: { cancelUnsure: true },
      bounds: { lapses: 1, cancel: true },
      problem: 'two ends',
      last: 'canceller records the end',
    },
    {
      mistake: 'about to be forgotten when their call is put back',
      variant: { putBackBesideOld: true },
      bounds: { lapses: 1, cancel: true },
      problem: 'invoked although it has ended',
      last: 'worker 1 looks for the end',
    },
  ])('would be $mistake', ({ variant, bounds, problem, last }) => {
    const { counterexample } = explored(bounds, variant);
    expect(counterexample?.problem).toBe(problem);
    expect(counterexample?.steps.at(-1)).toBe(last);
  });

  test('only a worker that dies while a canceller stands still loses what follows an end', () => {
    const { counterexample } = explored({ lapses: 1, crashes: 1, cancel: true, maxRetries: 0 });
    expect(counterexample?.problem).toBe('no callback was sent');
    expect(counterexample?.steps).toEqual(
      expect.arrayContaining(['worker 0 dies', 'sweeper finishes what is late', 'time passes']),
    );
  });
});
