import { testCaught } from './bugs/catch-bugs.ts';

testCaught([
  // One run for all that need no fault.
  {
    bug: [
      'turns of flow keys given for retries, and regardless of calls that run or have just ended',
      'start of a rate used again within its period',
      'end of a batch counted by attempts',
      'id of a client not claimed',
    ].join('; '),
    mains: { worker: 'unforced', gateway: 'unclaimed-id' },
    faults: [],
    caughtBy: 'calls of a flow key keep their order',
    alsoCaughtBy: [
      'no more calls of a flow key at once than it allows',
      'no window has more calls of a flow key than its rate allows',
      'no window has more than the rate allows',
      'a batch counts each of its calls once',
      'an id is one call',
    ],
    flowShare: 0.3,
    // Less than what comes.
    pace: { count: 5, periodMs: 2_000 },
    durationMs: 6_000,
  },
  {
    bug: 'end forgotten by its age alone',
    mains: { worker: 'end-by-age' },
    faults: ['pause function'],
    // A call that was cancelled runs as well once its end is forgotten.
    caughtBy: ['nothing after the end', 'cancelled is cancelled'],
    // Callbacks that hang keep calls with their workers until these die.
    workerEnv: { ACK_WAIT: '1s', CALLBACK_TIMEOUT: '8s' },
    haste: 200,
    // The kill has to meet an ended call of the paused function whose callback hangs. One call in a hundred is such a
    // call: some of them exist four seconds after the start. Three kills in a run are quicker than three runs.
    gapMs: 8_000,
    rate: 100,
    durationMs: 30_000,
  },
]);
