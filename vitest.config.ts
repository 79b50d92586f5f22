import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';
import { ProgressReporter } from './packages/testkit/test/progress-reporter.ts';

// Tests and type checks read the sources of the workspace's packages: no build needed.
const conditions = ['@asyncfn/source'];
const resolve = { conditions };
const ssr = { resolve: { conditions, externalConditions: conditions } };

/** Files share processes: loading the sources for each of them again takes a third of a second of CPU and more. */
const sharesProcesses = { isolate: false };

const setupFiles = ['packages/testkit/test/print-tails.ts'];

/** Tests wait for timers, a broker or processes as often as they work: fewer files at once leave cores idle. */
const inParallel = Math.min(12, 2 * availableParallelism());

/** A test that waits for something fails by that wait, which takes up to 90 s and says what has not come. */
const patience = { testTimeout: 300_000, hookTimeout: 300_000 };

const processes = { setupFiles, ...patience };

/**
 * Tests that run one after the other, without any beside them: on two cores the load of others becomes what they
 * measure, and keeps three servers from electing a leader.
 */
const alone = [
  'apps/torture/test/{ha,torture}.full.test.ts',
  'apps/e2e/test/{neighbours,hostile-receivers}.full.test.ts',
];

const globalSetup = ['packages/nats-server/test/global-setup.ts'];

/**
 * One project a kind of dependency, told apart by the suffix of the file; `faults` and `full` are those that `pnpm test`
 * leaves to `pnpm test:full` and CI. What fails once in twenty runs is a fault of the product or of the test.
 */
export default defineConfig({
  test: {
    reporters: [
      'default',
      ...(process.env.GITHUB_ACTIONS === 'true' ? ['github-actions'] : []),
      new ProgressReporter(),
    ],
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['{apps,packages}/*/{src,test}/**/*.test.ts', 'scripts/**/*.test.ts'],
          exclude: ['**/*.{nats,e2e,faults,full}.test.ts', '**/node_modules/**', '**/dist/**'],
          ...sharesProcesses,
          maxWorkers: inParallel,
          // Ten thousand cases of a property and all states of a model take many seconds on a busy machine.
          ...patience,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'nats',
          ...sharesProcesses,
          maxWorkers: inParallel,
          sequence: { groupOrder: 1 },
          include: ['{apps,packages}/*/{src,test}/**/*.nats.test.ts'],
          globalSetup,
          setupFiles,
          ...patience,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'e2e',
          ...sharesProcesses,
          include: ['{apps,packages}/*/test/**/*.e2e.test.ts'],
          globalSetup,
          maxWorkers: inParallel,
          sequence: { groupOrder: 2 },
          ...processes,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'faults',
          ...sharesProcesses,
          include: ['apps/e2e/test/**/*.faults.test.ts'],
          globalSetup,
          maxWorkers: inParallel,
          sequence: { groupOrder: 2 },
          ...processes,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'full',
          include: ['{apps,packages}/*/test/**/*.full.test.ts'],
          exclude: ['**/node_modules/**', ...alone],
          globalSetup,
          sequence: { groupOrder: 3 },
          ...processes,
          // Deliberate bugs show less often on a machine that is busy.
          maxWorkers: 2,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'alone',
          include: alone,
          globalSetup,
          sequence: { groupOrder: 4 },
          ...processes,
          maxWorkers: 1,
        },
      },
    ],
  },
});
