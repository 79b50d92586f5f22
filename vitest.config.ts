import { defineConfig } from 'vitest/config';

// Tests and type checks read the sources of the workspace's packages: no build needed.
const conditions = ['@asyncfn/source'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

/**
 * CI's machine is shared, and its disk can stand still for longer than a client waits for the broker. What passes the
 * second time is reported as retried.
 */
const retry = process.env['CI'] === undefined ? 0 : 1;

/** One project a kind of dependency, told apart by the suffix of the file. */
export default defineConfig({
  test: {
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.nats.test.ts', '**/*.e2e.test.ts', '**/node_modules/**', '**/dist/**'],
          // Ten thousand cases of a property take seconds on a busy machine.
          testTimeout: 30_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'nats',
          retry,
          maxWorkers: 2,
          sequence: { groupOrder: 1 },
          include: ['{apps,packages}/*/{src,test}/**/*.nats.test.ts'],
          globalSetup: ['packages/nats-server/test/global-setup.ts'],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          include: ['{apps,packages}/*/test/**/*.e2e.test.ts'],
          globalSetup: ['packages/nats-server/test/global-setup.ts'],
          retry,
          // Each file runs whole stacks of processes, which wait more than they work: two files are a full machine.
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
