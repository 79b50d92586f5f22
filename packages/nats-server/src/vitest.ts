import type {} from 'vitest';

declare module 'vitest' {
  /** What the test run's global setup hands to `inject()`. */
  interface ProvidedContext {
    /** A server shared by all tests of a run: name streams and queues so that tests do not meet. */
    natsUrl: string;
    /** The binary, for tests that start and stop servers of their own. */
    natsServerBin: string;
  }
}
