import { type Browser, chromium } from 'playwright-core';
import { findChromium } from './chromium.ts';

/** Starts a browser without a window. */
export async function startBrowser(): Promise<Browser> {
  const { path, env } = await findChromium();
  return await chromium.launch({
    executablePath: path,
    // Without a language, pages see one that does not exist.
    env: { ...(process.env as Record<string, string>), LC_ALL: 'en_US.UTF-8', ...env },
    // Root has no sandbox, and containers have little shared memory.
    args: ['--no-sandbox', '--disable-dev-shm-usage', '--no-zygote', '--font-render-hinting=none'],
  });
}
