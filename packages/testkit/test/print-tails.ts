import { afterAll, afterEach, beforeEach } from 'vitest';
import { forgetEnded, tailsSince } from '../src/spawned.ts';

// Set-up of the projects that spawn processes: a failed test prints the last lines of those that ran during it.
let startedAt = 0;

beforeEach(() => {
  startedAt = performance.now();
});

afterEach(({ task }) => {
  if (task.result?.state === 'fail') {
    process.stderr.write(tailsSince(startedAt));
  }
});

afterAll(forgetEnded);
