import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ApiClient, CallClient, type Stack } from '@asyncfn/stack';
import { eventually, gate, type RequestHandler, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { createToken, formatHash, hashToken } from '@asyncfn/tokens';
import type { Browser, Locator, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConsole, startBrowser } from './harness/browser/index.ts';
import { startStack } from './harness/stack.ts';

const markup = '<img src=x onerror="document.title=\'run\'"><script>document.title="run"</script>';

let stack: Stack;
let browser: Browser;
let api: ApiClient;
let calls: CallClient;
let fn: TestFunction;

/** Lets the third attempt go on. */
const third = gate(status(200));
/** Lets the calls of `/held` go on. */
const held = gate(status(200));
let tries = 0;
/** Whether the function `status` answers 400 if it is told to. */
let isBroken = true;
const twice = status(503, { times: 2 });

/** Answers as the path of the call says. */
const answer: RequestHandler = (request, response) => {
  const { pathname } = new URL(request.url, 'http://function');
  switch (pathname) {
    case '/flaky':
      tries += 1;
      return (tries > 2 ? third.handler : status(503))(request, response);
    case '/held':
      return held.handler(request, response);
    case '/hostile':
      return void response.writeHead(200, { 'content-type': 'text/html', 'x-note': markup }).end(markup);
    case '/binary':
      return void response.writeHead(200, { 'content-type': 'text/html' }).end(Buffer.from([0x3c, 0, 0xff, 0x41]));
    case '/status':
      return (request.url.includes('code=503') ? twice : status(isBroken ? 400 : 200))(request, response);
    case '/refused':
      return void response.writeHead(400).end();
    default:
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":12345678901234567890}');
  }
};

beforeAll(async () => {
  fn = await startTestFunction({ handler: answer });
  const retry = { attempts: 2, minWait: '300ms', maxWait: '300ms', backoff: 'exponential' };
  [stack, browser] = await Promise.all([
    startStack({
      functions: {
        work: { url: fn.url, retry },
        other: { url: fn.url, queue: 'heavy' },
        status: { url: `${fn.url}/status`, retry },
      },
      // Soon after a worker has died, another one gets its calls.
      workerEnv: { ACK_WAIT: '2s' },
    }),
    startBrowser(),
  ]);
  api = new ApiClient(stack.gateway.url);
  calls = new CallClient(stack.gateway.url);
});
afterAll(async () => {
  await browser?.close();
  for (const part of [api, calls, stack, fn]) {
    await part?.[Symbol.asyncDispose]();
  }
});

const open = (path: string) => openConsole(browser, stack.gateway.url, { path });

/** The ids of the calls in the table, once they are as many. */
async function listed(page: Page, count: number): Promise<string[]> {
  const links = page
    .getByRole('table', { name: 'Calls' })
    .getByRole('link')
    .filter({ hasText: /^[A-Za-z0-9_-]{8,}$/ });
  await eventually(async () => (await links.count()) === count);
  return (await links.allTextContents()).toSorted();
}

const momentsOf = (page: Page): Locator => page.getByRole('region', { name: 'Timeline' }).getByRole('listitem');
const attemptsOf = (page: Page): Locator => momentsOf(page).filter({ hasText: /^Attempt/ });

/** What the timeline says that the function has answered. */
async function statusesOf(page: Page): Promise<string[]> {
  const attempts = await attemptsOf(page).allInnerTexts();
  return attempts.map((text) => text.match(/^Attempt \d\s+(\d{3})\b/)?.[1]).filter((text) => text !== undefined);
}

test('an operator finds calls by function, status and label, shares the search, and goes back', async () => {
  const [seven, eight] = [
    await api.accept('other', { headers: { 'X-Label': 'customer=7', 'X-Call-Id': 'call-of-seven' } }),
    await api.accept('other', { headers: { 'X-Label': 'customer=8', 'X-Call-Id': 'call-of-eight' } }),
  ];
  const refused = await api.accept('other', { target: '/refused', headers: { 'X-Call-Id': 'call-refused' } });
  await stack.untilSettled();
  await using console = await open('/calls');
  const { page, complaints } = console;
  await page.getByLabel('Function', { exact: true }).fill('other');
  await page.keyboard.press('Enter');
  expect(await listed(page, 3)).toEqual([eight, seven, refused].toSorted());
  await page.getByRole('button', { name: 'customer=7' }).click();
  expect(await listed(page, 1)).toEqual([seven]);
  const shared = page.url();
  expect(shared).toContain('/console/calls?function=other&label=customer%3D7');
  await page.goBack();
  expect(await listed(page, 3)).toHaveLength(3);
  expect(await page.getByLabel('Label').inputValue()).toBe('');
  await page.getByRole('button', { name: 'Failed in the last hour' }).click();
  expect(await listed(page, 1)).toEqual([refused]);
  expect(await page.getByRole('checkbox', { name: 'failed' }).isChecked()).toBe(true);
  await page.goto(shared);
  expect(await listed(page, 1)).toEqual([seven]);
  expect(await page.getByLabel('Label').inputValue()).toBe('customer=7');
  expect(complaints).toEqual([]);
});

test('a search that the gateway refuses says what is wrong, and one without a match what to do', async () => {
  await using console = await open(`/calls?label=${encodeURIComponent(markup)}`);
  const { page, complaints } = console;
  await page.getByRole('alert').getByText('label must be one label, 1 to 64 characters').waitFor();
  await page.getByLabel('Label').fill('of.no.call');
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'No call matches' }).waitFor();
  await page.getByRole('button', { name: 'Show all calls' }).click();
  await page.getByRole('table', { name: 'Calls' }).waitFor();
  expect(new URL(page.url()).search).toBe('');
  expect(complaints).toEqual([]);
});

test('a page leads to the next one, and the list stands still until one goes back to the newest', async () => {
  const headers = { 'X-Label': 'many' };
  const old = await api.accept('other', { headers });
  await api.acceptMany('other', 100, { headers });
  await using console = await open('/calls?label=many');
  const { page } = console;
  await page.getByText('100 calls, and more').waitFor();
  await page.getByRole('button', { name: 'Load more' }).click();
  await page.getByText('101 calls', { exact: true }).waitFor();
  await page.mouse.wheel(0, 100_000);
  await page.getByRole('link', { name: old }).waitFor();
  await api.accept('other', { headers });
  await page.getByText('1 or more calls are newer.').waitFor();
  await page.getByRole('button', { name: 'Back to the newest' }).click();
  await page.getByText('100 calls, and more').waitFor();
});

test('a call whose function answers 503, 503 and 200 shows three attempts while they happen', async () => {
  const callId = await api.accept('work', { target: '/flaky', headers: { 'X-Label': 'nightly' } });
  await using console = await open(`/calls/${callId}`);
  const { page, complaints } = console;
  await momentsOf(page).filter({ hasText: 'is running' }).waitFor();
  await eventually(async () => (await statusesOf(page)).length === 2);
  expect(await statusesOf(page)).toEqual(['503', '503']);
  third.open();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await eventually(async () => (await statusesOf(page)).length === 3);
  expect(await statusesOf(page)).toEqual(['503', '503', '200']);
  const moments = await attemptsOf(page).allInnerTexts();
  for (const text of moments) {
    expect(text).toMatch(/\d\d:\d\d:\d\d[\s\S]*took [\d.]+ m?s · worker .+:\d+/);
  }
  expect(
    await momentsOf(page)
      .filter({ hasText: /^waited/ })
      .count(),
  ).toBeGreaterThanOrEqual(2);
  await page.getByRole('link', { name: 'nightly' }).waitFor();
  await page.getByText(`curl -i ${stack.gateway.url}/async-function/${callId}/result`).waitFor();
  expect(complaints).toEqual([]);
});

test('an attempt whose worker was killed shows as lost, before the one that succeeded', async () => {
  const callId = await api.accept('work', { target: '/held' });
  await using console = await open(`/calls/${callId}`);
  const { page, complaints } = console;
  await attemptsOf(page).filter({ hasText: 'is running' }).waitFor();
  stack.worker.kill('SIGKILL');
  await stack.worker.ended();
  await stack.startWorker();
  await attemptsOf(page).filter({ hasText: 'was lost: its worker died' }).waitFor();
  held.open();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await eventually(async () => (await statusesOf(page)).length === 1);
  expect(await statusesOf(page)).toEqual(['200']);
  expect(await attemptsOf(page).count()).toBe(2);
  expect(complaints).toEqual([]);
});

describe('a result is data', () => {
  test.each([
    ['/hostile', markup],
    ['/binary', '00000000  3c 00 ff 41'],
    ['/json', '"id": 12345678901234567890'],
  ])('of %s, which is shown as text', async (target, shown) => {
    const callId = await api.accept('work', { target, headers: { 'X-Label': 'javascript:alert' } });
    await calls.untilEnded(callId);
    await using console = await open(`/calls/${callId}`);
    const { page, complaints } = console;
    const body = page.getByRole('region', { name: 'Body of the result' });
    await body.waitFor();
    expect(await body.textContent()).toContain(shown);
    expect(await page.title()).toBe(`Call ${callId} - asyncfn`);
    expect(await page.locator('main img, main script, iframe').count()).toBe(0);
    const label = page.getByRole('link', { name: 'javascript:alert' });
    expect(await label.getAttribute('href')).toBe('/console/calls?label=javascript%3Aalert');
    const saving = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download the body' }).click();
    expect((await saving).suggestedFilename()).toBe(`${callId}.bin`);
    expect(complaints).toEqual([]);
  });
});

test('a call that waits is cancelled, and an ended one erased', async () => {
  const callId = await api.accept('work', { headers: { 'X-Delay': '10m' } });
  await using console = await open(`/calls/${callId}`);
  const { page, complaints } = console;
  await page.getByText('Waits for its time').waitFor();
  await page.getByRole('button', { name: 'Cancel the call' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the call' }).click();
  await page.getByText('Cancelled', { exact: true }).waitFor();
  await page.getByRole('button', { name: 'Erase' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Erase' }).click();
  await page.getByText('The call is erased.').waitFor();
  await page.goto(`${stack.gateway.url}/console/calls/${callId}`);
  await page.getByRole('heading', { name: 'Nothing is kept of a call with this id' }).waitFor();
  expect(complaints).toEqual([]);
});

test('a newcomer sends a call from the first page, watches its retries, and replays one that failed', async () => {
  isBroken = true;
  await using console = await openConsole(browser, stack.gateway.url);
  const { page, complaints } = console;
  await page.goto(`${stack.gateway.url}/`);
  await page.getByRole('heading', { level: 1, name: 'Overview' }).waitFor();
  await page.getByRole('link', { name: 'Functions' }).click();
  await page.getByRole('link', { name: 'status', exact: true }).click();
  await page.getByLabel('Path and query').fill('?code=503&times=2');
  await page.getByLabel('Body').fill("it's a body");
  await page.getByText(`curl -i '${stack.gateway.url}/async-function/status?code=503&times=2'`).waitFor();
  await page.getByRole('button', { name: 'Send the call' }).click();
  await page.getByRole('heading', { level: 1, name: /^Call / }).waitFor();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await eventually(async () => (await statusesOf(page)).length === 3);
  expect(await statusesOf(page)).toEqual(['503', '503', '200']);
  expect(fn.requests.at(-1)?.body.toString()).toBe("it's a body");
  await page.goBack();
  await page.getByLabel('Path and query').fill('?code=400');
  await page.getByRole('button', { name: 'Send the call' }).click();
  await page.getByText('The function answered with an error.').waitFor();
  isBroken = false;
  await page.getByRole('button', { name: 'Replay', exact: true }).click();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await page.getByText('Replayed', { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});

test('a call that is refused says why, in the words of the gateway or of the form', async () => {
  await using console = await open('/functions/status');
  const { page, complaints } = console;
  const refusal = page.getByRole('region', { name: 'Send a call' }).getByRole('alert');
  await page.getByLabel('Path and query').fill('/../../system/queues');
  await page.getByRole('button', { name: 'Send the call' }).click();
  await refusal.getByText('The path must stay below /async-function/status').waitFor();
  await page.getByLabel('Path and query').fill('');
  await page.getByText('Headers, label, delay, retries, callback').click();
  await page.getByLabel('Delay').fill('soon');
  await page.getByLabel('Delay').press('Enter');
  await refusal.getByText('X-Delay').waitFor();
  await page.getByLabel('Delay').fill('10m');
  await page.getByLabel('Further headers').fill('Cookie: a=b');
  await page.getByRole('button', { name: 'Send the call' }).click();
  await refusal.getByText('browsers do not let a page send Cookie').waitFor();
  await page.getByLabel('Further headers').fill('X-Tenant: seven');
  await page.getByRole('button', { name: 'Send the call' }).click();
  await page.getByText('Waits for its time').waitFor();
  expect(complaints).toEqual([]);
});

test('an operator cancels all open calls that a search finds', async () => {
  const headers = { 'X-Label': 'to-cancel', 'X-Delay': '10m' };
  const ids = await api.acceptMany('other', 3, { headers });
  await using console = await open('/calls?label=to-cancel');
  const { page, complaints } = console;
  await listed(page, 3);
  await page.getByRole('button', { name: 'Cancel these calls' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Cancel the calls' }).click();
  await page.getByText('3 calls are cancelled.').waitFor();
  for (const id of ids) {
    expect(await calls.untilEnded(id)).toMatchObject({ status: 'cancelled' });
  }
  await eventually(async () => (await page.getByRole('cell', { name: 'cancelled' }).count()) === 3);
  expect(complaints).toEqual([]);
});

test('calls of two tokens with one id are two calls', async () => {
  const [alice, bob, boss] = [createToken(), createToken(), createToken()];
  const path = join(stack.folder, 'tokens.json');
  const entry = (secret: string, scope: string) => ({ hash: formatHash(hashToken(secret)), scopes: [scope] });
  const tokens = { alice: entry(alice, 'invoke'), bob: entry(bob, 'invoke'), boss: entry(boss, 'admin') };
  await writeFile(path, JSON.stringify({ tokens }));
  const { url } = await stack.startGateway({ AUTH_TOKENS_FILE: path });
  await using callers = new ApiClient(url);
  for (const secret of [alice, bob]) {
    const headers = { Authorization: `Bearer ${secret}`, 'X-Label': 'shared' };
    await callers.accept('other', { headers: { ...headers, 'X-Call-Id': 'one-id-of-two' } });
    await callers.accept('other', { headers: { ...headers, 'X-Call-Id': 'refused-of-two' }, target: '/refused' });
  }
  await using console = await openConsole(browser, url, { path: '/calls?label=shared&status=succeeded' });
  const { page, complaints } = console;
  await page.getByLabel('Token').fill(boss);
  await page.keyboard.press('Enter');
  expect(await listed(page, 2)).toEqual(['one-id-of-two', 'one-id-of-two']);
  const row = page.getByRole('row').filter({ hasText: 'by alice' });
  await row.getByRole('link', { name: 'one-id-of-two' }).click();
  await page.getByText('Succeeded', { exact: true }).waitFor();
  expect(page.url()).toBe(`${url}/console/calls/one-id-of-two?submitter=alice`);
  await page
    .getByRole('definition')
    .filter({ hasText: /^alice$/ })
    .waitFor();
  expect(await page.getByText('curl -i').first().textContent()).toContain('Authorization: Bearer $ASYNCFN_TOKEN');
  await page.getByRole('link', { name: 'Dead letters' }).click();
  const group = page.getByRole('region', { name: 'other: The function answered with an error' });
  await group.getByRole('button', { name: /^Show / }).click();
  const letter = group.getByRole('row').filter({ hasText: 'by bob' });
  await letter.getByRole('link', { name: 'refused-of-two' }).click();
  await page.getByText('The call is a dead letter.').waitFor();
  expect(page.url()).toBe(`${url}/console/calls/refused-of-two?submitter=bob`);
  expect(complaints).toEqual([]);
});
