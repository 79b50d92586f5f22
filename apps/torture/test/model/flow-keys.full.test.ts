import { describe, expect, test } from 'vitest';
import { explore } from './explore.ts';
import { flowKeys } from './flow-keys.ts';
import { calmFlow, type FlowBounds, type FlowVariant } from './flow-world.ts';

const calm: FlowBounds = { ...calmFlow, calls: 2, workers: 2 };

function explored(bounds: Partial<FlowBounds>, variant: FlowVariant = {}) {
  return explore(flowKeys({ ...calm, ...bounds }, variant));
}

describe('calls of a key keep their order and its limit, and none waits for ever', () => {
  test.each<[string, Partial<FlowBounds>]>([
    ['while nothing breaks', { calls: 3, workers: 1 }],
    ['whichever process dies, between whichever steps', { crashes: 1 }],
    ['when the first call is retried', { calls: 3, workers: 1, retry: true }],
    ['when a worker dies around a retry', { workers: 1, retry: true, crashes: 1 }],
    ['when the first call is cancelled', { workers: 1, cancel: 1, cancelCrashes: 1 }],
    ['when a call that waits is cancelled', { workers: 1, cancel: 2, cancelCrashes: 1 }],
    ['when an operator pauses the key and resumes it', { workers: 1, pause: true }],
    ['when the gateway of the operator dies', { calls: 1, workers: 1, pause: true, crashes: 1 }],
    ['when two may run at once', { limit: 2 }],
    ['however slow a process is', { calls: 3, workers: 1, slow: true }],
    ['when the limit is raised', { newLimit: 2 }],
    ['when the limit is lowered', { limit: 2, newLimit: 1 }],
  ])('%s', (_, bounds) => {
    // The largest of these models are searched in one order only, to save time.
    const isLarge = bounds.pause === true || (bounds.cancel ?? bounds.crashes) !== undefined;
    for (const waitsFirst of isLarge ? [false] : [false, true]) {
      const { counterexample, states } = explored(bounds, { waitsFirst });
      expect(counterexample).toBeUndefined();
      expect(states).toBeGreaterThan(100);
    }
  });
});

test.each<[mistake: string, FlowVariant, Partial<FlowBounds>, problem: string]>([
  ['a call without a notice', { noNotice: true }, { crashes: 1 }, 'a call waits for ever'],
  ['a notice that is removed first', { noticeFirst: true }, { crashes: 1 }, 'a call waits for ever'],
  ['a state that is replaced blindly', { blindState: true }, { crashes: 1 }, 'too many calls of the key run at once'],
  ['a turn for a call that no longer waits', { blindCall: true }, { cancel: 1 }, 'a call that has ended begins'],
  ['left-overs that count as waiting', { noCursor: true, blindCall: true }, {}, 'a call was overtaken'],
  [
    'calls that are ready before they have their turn',
    { readyFirst: true },
    { crashes: 1 },
    'too many calls of the key run at once',
  ],
  [
    'turns that a crash has interrupted, and that nobody finishes',
    { noFinish: true },
    { crashes: 1 },
    'a call waits for ever',
  ],
  [
    'turns that are finished after their call has ended',
    { finishAll: true, blindCall: true },
    {},
    'a call was overtaken',
  ],
  [
    'a turn for a call that has had one, under a state that is forgotten',
    { keepsOld: true },
    { calls: 3, workers: 1, slow: true },
    'a call waits for ever',
  ],
  ['a turn that a cancelled call keeps', { keepsGone: true }, { cancel: 1 }, 'a call waits for ever'],
  ['a copy that is left with its call', { leavesCopy: true }, { crashes: 1 }, 'a call was overtaken'],
  ['no second look at those that wait', { noSecondLook: true }, {}, 'a call waits for ever'],
  ['an ack before the turn has ended', { ackFirst: true }, { crashes: 1 }, 'a call waits for ever'],
  [
    'a retry that gives its turn away',
    { retryReleases: true },
    { retry: true },
    'too many calls of the key run at once',
  ],
  ['a pause that is forgotten with the last call', { dropPaused: true }, { pause: true }, 'a paused key gives a turn'],
  [
    'a pause that ends without giving turns',
    { resumeOnly: true, noStateSweep: true },
    { pause: true },
    'a call waits for ever',
  ],
  [
    'turns of an operator that a crash has interrupted, and that nobody looks for',
    { noStateSweep: true },
    { calls: 1, workers: 1, pause: true, crashes: 1 },
    'a call waits for ever',
  ],
  [
    'a key that an operator resumes, and that is forgotten before those that wait are looked for',
    { expiresUnseen: true },
    { calls: 1, workers: 1, pause: true, crashes: 1 },
    'a call waits for ever',
  ],
  [
    'a cancel that leaves the waiting copy of a ready call',
    { cancelKeepsWait: true },
    { workers: 1, cancel: 2 },
    'a call that has ended begins',
  ],
  ['a cancel that keeps the turn', { cancelKeeps: true }, { cancel: 1 }, 'a call waits for ever'],
  [
    'a cancel that does not wait for the worker',
    { cancelUnaborted: true },
    { cancel: 1 },
    'too many calls of the key run at once',
  ],
  ['a cancel that does not look again', { cancelBlind: true }, { cancel: 1 }, 'a call that has ended begins'],
])('a deliberate mistake that the model finds: %s', (_, variant, bounds, problem) => {
  expect(explored(bounds, variant).counterexample?.problem).toBe(problem);
});
