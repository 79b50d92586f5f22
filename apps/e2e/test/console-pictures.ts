import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '@asyncfn/stack';
import { startTestFunction } from '@asyncfn/testkit';
import { expect, test } from 'vitest';
import { openConsole, startBrowser } from './harness/browser/index.ts';
import { startStack } from './harness/stack.ts';

const folder = fileURLToPath(new URL('../../../docs/pictures/', import.meta.url));

/** How long calls are made before the pictures are taken, in milliseconds: charts show two minutes. */
const workMs = 130_000;

const names = ['thumbnail', 'invoice', 'transcribe', 'notify'];

test('the main pages, light and dark', async () => {
  await mkdir(folder, { recursive: true });
  // One call in twelve is refused; the work takes 20 to 400 ms.
  await using fn = await startTestFunction({
    async handler(_, response) {
      await sleep(20 + Math.random() * 380);
      response.writeHead(Math.random() < 1 / 12 ? 422 : 200).end('done');
    },
  });
  const entry = (queue: string) => ({ url: fn.url, queue, concurrency: 4, retry: { attempts: 1, minWait: '2s' } });
  await using stack = await startStack({
    functions: Object.fromEntries(names.map((name, at) => [name, entry(at < 2 ? 'default' : 'media')])),
  });
  await using api = new ApiClient(stack.gateway.url);
  const browser = await startBrowser();
  const size = { width: 1280, height: 800 };
  const open = (colorScheme: 'light' | 'dark') => openConsole(browser, stack.gateway.url, { ...size, colorScheme });
  await using light = await open('light');
  await using dark = await open('dark');

  const endAt = Date.now() + workMs;
  while (Date.now() < endAt) {
    const burst = 1 + Math.round(4 * (1 + Math.sin(Date.now() / 9_000)));
    await Promise.all(
      names.map((name) => api.acceptMany(name, burst, { headers: { 'X-Label': `customer=${burst}` } })),
    );
    await sleep(250);
  }

  for (const [scheme, { page }] of [
    ['light', light],
    ['dark', dark],
  ] as const) {
    await page.screenshot({ path: `${folder}overview-${scheme}.png` });
  }
  const { page } = light;
  for (const title of ['Functions', 'Dead letters', 'System']) {
    await page.getByRole('link', { name: title, exact: true }).click();
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.locator('section.panel').first().waitFor();
    await sleep(2_000);
    await page.screenshot({ path: `${folder}${title.toLowerCase().replace(' ', '-')}.png` });
  }
  await browser.close();
  expect([...light.complaints, ...dark.complaints]).toEqual([]);
});
