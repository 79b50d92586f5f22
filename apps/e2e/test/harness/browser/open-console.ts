import type { Browser, Page } from 'playwright-core';

export interface OpenOptions {
  /** Below `/console`. Default: the first page. */
  readonly path?: string;
  readonly width?: number;
  readonly height?: number;
  readonly colorScheme?: 'light' | 'dark';
}

/** A page of the console in a tab of its own, with what the browser complains about. */
export interface ConsolePage extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, and of the content security policy. Refused requests are none. */
  readonly complaints: readonly string[];
}

/** For whatever a page is waited for, on a busy machine. In milliseconds. */
const patienceMs = 90_000;

export async function openConsole(
  browser: Browser,
  gatewayUrl: string,
  { path = '', width = 1280, height = 800, colorScheme = 'light' }: OpenOptions = {},
): Promise<ConsolePage> {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme, locale: 'en-GB' });
  context.setDefaultTimeout(patienceMs);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  await page.goto(`${gatewayUrl}/console${path}`);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}
