import { defineConfig } from 'vitest/config';

const conditions = ['@asyncfn/source'];

/**
 * `pnpm monitoring:check`: dashboards and rules against a real Prometheus, which has to be on the PATH with promtool.
 */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['apps/e2e/test/monitoring-check.ts'],
    globalSetup: ['packages/nats-server/test/global-setup.ts'],
    testTimeout: 240_000,
    hookTimeout: 60_000,
  },
});
