import { defineConfig } from 'vitest/config';

const conditions = ['@asyncfn/source'];

/** `pnpm pictures`: takes the pictures of the console for the README, of a stack that works. */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    include: ['apps/e2e/test/console-pictures.ts'],
    globalSetup: ['packages/nats-server/test/global-setup.ts'],
    testTimeout: 300_000,
    hookTimeout: 60_000,
  },
});
