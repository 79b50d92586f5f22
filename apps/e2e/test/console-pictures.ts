import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { ApiClient } from '@asyncfn/stack';
import { eventually, type RequestHandler, startTestFunction, status } from '@asyncfn/testkit';
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

/** As the sample function `status`, until it is mended. */
function statusFunction(): { readonly handler: RequestHandler; readonly mend: () => void } {
  const twice = status(503, { times: 2 });
  let isBroken = true;
  return {
    handler: (request, response) =>
      (request.url.includes('code=503') ? twice : status(isBroken ? 400 : 200))(request, response),
    mend: () => {
      isBroken = false;
    },
  };
}

test('the path of a newcomer: the first page, a call, its retries, its end, a dead letter, its replay', async () => {
  const { handler, mend } = statusFunction();
  await using fn = await startTestFunction({ handler });
  const retry = { attempts: 3, minWait: '4s', maxWait: '8s', backoff: 'exponential' };
  await using stack = await startStack({ functions: { status: { url: `${fn.url}/status`, retry } } });
  const browser = await startBrowser();
  await using console = await openConsole(browser, stack.gateway.url);
  const { page, complaints } = console;
  const take = async (name: string): Promise<void> => {
    await page.screenshot({ path: `${folder}${name}.png` });
  };
  const write = async (target: string): Promise<void> => {
    await page.getByLabel('Path and query').fill(target);
    await page.getByLabel('Body').fill('hello');
  };
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  /** The words about an action go away by themselves; they would hide a part of the page. */
  const takeQuiet = async (name: string): Promise<void> => {
    await eventually(async () => (await page.locator('.toasts').textContent()) === '', { timeoutMs: 30_000 });
    await take(name);
  };

  await page.goto(`${stack.gateway.url}/`);
  await page.getByText('Nothing is wrong.').waitFor();
  await sleep(5_000);
  await take('path-1-first-page');
  await page.getByRole('link', { name: 'Functions' }).click();
  await page.getByRole('link', { name: 'status', exact: true }).click();
  await write('?code=503&times=2');
  await page.getByRole('button', { name: 'Send the call' }).scrollIntoViewIfNeeded();
  await take('path-2-send-a-call');
  await press('Send the call');
  await page.getByText('Attempt 3 is due').waitFor();
  await take('path-3-retries');
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
  await takeQuiet('call');
  await page.goBack();
  await write('?code=400');
  await press('Send the call');
  await page.getByText('The function answered with an error.').waitFor();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
  await takeQuiet('path-4-dead-letter');
  mend();
  await press('Replay');
  await page.getByText('Replayed', { exact: true }).waitFor();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await takeQuiet('path-5-replayed');
  await browser.close();
  expect(complaints).toEqual([]);
});
