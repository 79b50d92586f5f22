import type {} from 'vitest';

declare module 'vitest' {
  /** The values that the test run's global setup provides to `inject()`. */
  interface ProvidedContext {
    /** A server shared by all tests of a run: name streams and queues so that tests do not meet. */
    natsUrl: string;
    /** The binary, for tests that start and stop servers of their own. */
    natsServerBin: string;
  }
}
