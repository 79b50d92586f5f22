import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterAll, afterEach, beforeEach } from 'vitest';
import { forgetEnded, noteMessage, tailsSince } from '../src/spawned.ts';

// Set-up of the projects that spawn processes: a failed test prints the last lines of those that ran during it.
let startedAt = 0;

// Test files share a process, and each of them runs this.
unsubscribe('asyncfn:nats-server', noteMessage);
subscribe('asyncfn:nats-server', noteMessage);

beforeEach(() => {
  startedAt = performance.now();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    process.stderr.write(tailsSince(startedAt));
  }
});

afterAll(forgetEnded);
