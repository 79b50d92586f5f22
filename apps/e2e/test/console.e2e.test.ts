import { readdirSync, readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ApiClient, type Stack } from '@asyncfn/stack';
import { eventually, startTestFunction, status, type TestFunction } from '@asyncfn/testkit';
import { createToken, formatHash, hashToken } from '@asyncfn/tokens';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openConsole, startBrowser } from './harness/browser/index.ts';
import { startStack } from './harness/stack.ts';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const built = fileURLToPath(new URL('../../console/dist/', import.meta.url));

let fn: TestFunction;
let stack: Stack;
let browser: Browser;
let api: ApiClient;
let fails = true;

beforeAll(async () => {
  fn = await startTestFunction({ handler: (request, response) => status(fails ? 400 : 200)(request, response) });
  [stack, browser] = await Promise.all([
    startStack({ functions: { picky: fn.url, other: { url: fn.url, queue: 'heavy' } } }),
    startBrowser(),
  ]);
  api = new ApiClient(stack.gateway.url);
});
afterAll(async () => {
  await browser?.close();
  await api?.[Symbol.asyncDispose]();
  await stack?.[Symbol.asyncDispose]();
  await fn?.[Symbol.asyncDispose]();
});

/** What axe-core finds wrong with a page. */
async function findBarriers(page: Page): Promise<string[]> {
  await page.evaluate(axe);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
    'axe.run(document, { resultTypes: ["violations"] })',
  );
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' ')}`);
}

test('the console is at most 120 KB, compressed', () => {
  const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'));
  const bytes = files.map((name) => readFileSync(join(built, name)).length).reduce((sum, each) => sum + each, 0);
  expect(files.length).toBeGreaterThanOrEqual(4);
  expect(bytes).toBeLessThan(120_000);
});

test('an operator sees that calls have failed, finds out why, and replays them', async () => {
  await api.acceptMany('picky', 3);
  await stack.untilSettled();
  await using console = await openConsole(browser, stack.gateway.url);
  const { page, complaints } = console;
  await page.getByText('3 calls have failed.').waitFor();
  await page.getByRole('link', { name: 'See the dead letters' }).click();
  await page.getByRole('heading', { name: 'The function answered with an error in picky' }).waitFor();
  await page.getByText('last status 400').waitFor();
  await page.getByRole('button', { name: 'Show 3 calls' }).click();
  await eventually(async () => (await page.locator('tbody tr').count()) === 3);
  fails = false;
  await page.getByRole('button', { name: 'Replay all' }).click();
  await page.getByRole('dialog').getByRole('button', { name: 'Replay all' }).click();
  await page.getByText('3 calls are queued again.').waitFor();
  await page.getByRole('heading', { name: 'No call has failed' }).waitFor();
  await stack.untilSettled();
  expect(fn.requests).toHaveLength(6);
  expect(complaints).toEqual([]);
});

test('it names the processes, and which functions fail', async () => {
  await using console = await openConsole(browser, stack.gateway.url, { path: '/system' });
  const { page } = console;
  const processes = page.getByRole('table', { name: 'Processes' });
  await processes.getByText('Gateway').waitFor();
  await processes.getByText('0 of 100').waitFor();
  await page.getByText('No accepted call is missing.').waitFor();
  await page.getByRole('link', { name: 'Functions' }).click();
  await page
    .getByRole('row', { name: /^picky/ })
    .getByText('50%')
    .waitFor();
});

/** Markup, what a path or a query would change, and no place to break a line. */
const hostileKey = `<img/src=x/onerror=document.title='run'>?a=%2F&b=+;#`.padEnd(128, '~');

test('an operator pauses a flow key, finds it from a call that waits, pins its limits and lets its calls go', async () => {
  fails = false;
  await using console = await openConsole(browser, stack.gateway.url, { path: '/flows', width: 360 });
  const { page, complaints } = console;
  const press = (name: string) => page.getByRole('button', { name, exact: true }).click();
  const confirm = (name: string) => page.getByRole('dialog').getByRole('button', { name, exact: true }).click();
  const shows = (name: string, value: string) =>
    page
      .getByRole('definition')
      .filter({ hasText: value })
      .and(page.locator(`dt:text-is("${name}") + dd`))
      .waitFor();
  await page.getByRole('heading', { name: 'No flow key has calls' }).waitFor();
  await page.getByLabel('Function', { exact: true }).fill('other');
  await page.getByLabel('Flow key', { exact: true }).fill(hostileKey);
  await page.keyboard.press('Enter');
  await page.getByText('The key has no open call.').waitFor();
  await press('Pause');
  await confirm('Pause');
  await page.getByText('The key is paused.', { exact: true }).waitFor();

  const [callId = ''] = await api.acceptMany('other', 3, { headers: { 'X-Flow-Key': hostileKey } });
  await page.goto(`${stack.gateway.url}/console/calls/${callId}`);
  await page.getByText('Waits for the turn of its flow key').waitFor();
  await page.getByRole('link', { name: hostileKey }).click();
  await page.getByRole('heading', { level: 1, name: `Flow key ${hostileKey}` }).waitFor();
  await shows('Waiting', '3');

  await press('Pin limits');
  await confirm('Pin');
  await page.getByRole('dialog').getByText('Set at least one of the two.').waitFor();
  await page.getByLabel('At once').fill('2');
  await page.getByLabel('Rate').fill('100/8d');
  await confirm('Pin');
  await page.getByRole('dialog').getByText('rate must be a rate such as 50/1s').waitFor();
  await page.getByLabel('Rate').fill('100/1s');
  await page.keyboard.press('Enter');
  await shows('Rate', '100 in 1s, pinned');
  await shows('At once', '2, pinned');

  await page.getByRole('link', { name: 'calls with this key' }).click();
  await page.getByText('3 calls', { exact: true }).waitFor();
  expect(await page.getByLabel('Flow key').inputValue()).toBe(hostileKey);
  await page.goBack();
  await page.getByRole('link', { name: 'keys of other' }).click();
  const table = page.getByRole('table', { name: 'Flow keys' });
  await table.getByText('Paused').filter({ visible: true }).waitFor();
  expect(Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))).toBeLessThanOrEqual(0);
  await table.getByRole('link', { name: hostileKey }).click();
  await press('Resume');
  await page.getByText('3 calls that wait get their turns').waitFor();
  await confirm('Resume');
  await page.getByText('The key has no open call.').waitFor();
  await press('Unpin');
  await confirm('Unpin');
  await shows('At once', '1, the default');
  expect(await page.title()).toBe(`Flow key ${hostileKey} - asyncfn`);
  expect(await page.locator('img[src="x"]').count()).toBe(0);
  await page.goto(`${stack.gateway.url}/console/calls/${callId}`);
  await page.getByText('Succeeded', { exact: true }).waitFor();
  await page.getByRole('link', { name: hostileKey }).waitFor();
  expect(complaints).toEqual([]);
});

test('many flow keys are read page by page, up to 10,000, and no more rows are held than are seen', async () => {
  const limits = { parallelism: 1, rate: null, limitsFrom: { parallelism: null, rate: null } };
  const keys = (from: number, count: number) =>
    Array.from({ length: count }, (_, at) => ({
      ...{ function: 'other', key: `key-${String(from + at).padStart(6, '0')}`, queue: 'heavy' },
      ...{ ...limits, waiting: from + at, running: 1, paused: false, pinned: false },
    }));
  await using console = await openConsole(browser, stack.gateway.url, { path: '/functions/other' });
  const { page, complaints } = console;
  // So many calls would take minutes.
  await page.route('**/system/flows?*', (route) => {
    const query = new URL(route.request().url()).searchParams;
    const [from, count] = [Number(query.get('cursor') ?? 0), Number(query.get('limit') ?? 100)];
    return route.fulfill({ json: { flows: keys(from, count), cursor: String(from + count) } });
  });
  await page.getByRole('region', { name: 'Settings' }).getByRole('link', { name: 'Flow keys' }).click();
  await page.getByText('100 keys, and more').waitFor();
  expect(await page.getByLabel('Function', { exact: true }).inputValue()).toBe('other');
  for (let count = 1_100; count <= 10_100; count += 1_000) {
    await page.getByRole('button', { name: 'Load more' }).click();
    await page.getByText(`${count.toLocaleString('en')} keys, and more`).waitFor();
  }
  await page.getByText('The page shows no more than 10,000 keys.').waitFor();
  await page.getByText('This list shows the keys as they were.').waitFor();
  const table = page.getByRole('table', { name: 'Flow keys' });
  expect(await table.locator('tbody tr').count()).toBeLessThan(60);
  await table.getByRole('button', { name: 'Waiting' }).click();
  await page.evaluate('scrollTo(0, 0)');
  await table.getByRole('link', { name: 'key-010099' }).waitFor();
  await page.getByRole('button', { name: 'Back to the first page' }).click();
  await page.getByText('100 keys, and more').waitFor();
  expect(complaints).toEqual([]);
});

test('a list of flow keys, or a key, that the gateway refuses says why', async () => {
  await using console = await openConsole(browser, stack.gateway.url, { path: '/flows?function=%3Cb%3E' });
  const { page, complaints } = console;
  await page.getByRole('alert').getByText('The keys cannot be listed.').waitFor();
  await page.goto(`${stack.gateway.url}/console/flows/nothing?key=k`);
  await page.getByRole('alert').getByText('No function with the name nothing is registered').waitFor();
  await page.goto(`${stack.gateway.url}/console/flows/other?key=..`);
  await page.getByRole('alert').getByText('This is not a flow key.').waitFor();
  await page.getByRole('link', { name: 'See the flow keys' }).click();
  await page.getByRole('heading', { level: 1, name: 'Flow keys' }).waitFor();
  expect(complaints).toEqual([]);
});

test.each([
  ['light', 1280],
  ['dark', 360],
] as const)('no page has a barrier for its readers, in %s and %i wide', async (colorScheme, width) => {
  await using console = await openConsole(browser, stack.gateway.url, { colorScheme, width });
  const { page, complaints } = console;
  const hasNone = async (title: string) => {
    await page.getByRole('heading', { level: 1, name: title }).waitFor();
    await page.waitForLoadState('networkidle');
    expect([title, await findBarriers(page)]).toEqual([title, []]);
    const overflow = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
    expect([title, Number(overflow) <= 0]).toEqual([title, true]);
  };
  for (const title of ['Overview', 'Functions', 'Calls', 'Flow keys', 'Dead letters', 'System']) {
    await page.getByRole('navigation').getByRole('link', { name: title }).click();
    await hasNone(title);
  }
  await page.goto(`${stack.gateway.url}/console/functions/picky`);
  await hasNone('picky');
  await page.goto(`${stack.gateway.url}/console/flows/other?key=${encodeURIComponent(hostileKey)}`);
  await page.getByText('The key has no open call.').waitFor();
  await page.getByRole('button', { name: 'Pin limits' }).click();
  await hasNone(`Flow key ${hostileKey}`);
  fails = true;
  const callId = await api.accept('picky', { headers: { 'X-Label': `of-${colorScheme}` } });
  await page.goto(`${stack.gateway.url}/console/calls/${callId}`);
  await page.getByText('The call is a dead letter.').waitFor();
  await page.getByRole('heading', { name: 'Result' }).waitFor();
  await hasNone(`Call ${callId}`);
  fails = false;
  expect(complaints).toEqual([]);
});

test('a hostile label is text, whatever it contains', async () => {
  const label = '<img src=x onerror="document.title=`run`"><script>document.title=`run`</script>';
  const at = new Date().toISOString();
  const letter = { kind: 'call', function: 'picky', queue: 'default', reason: 'rejected', attempts: 1, bytes: 1 };
  const times = { createdAt: at, endedAt: at };
  await using console = await openConsole(browser, stack.gateway.url, { path: '/system', width: 360 });
  const { page, complaints } = console;
  // The gateway takes no such label, but others may have access to the broker.
  await page.route('**/system/dead-letters?*', (route) =>
    route.fulfill({ json: { deadLetters: [{ ...letter, ...times, callId: 'a'.repeat(128), labels: [label] }] } }),
  );
  await page.getByRole('link', { name: 'Dead letters' }).click();
  await page.getByRole('button', { name: 'Show 1 call' }).click();
  await page.getByText(label).waitFor();
  expect(await page.title()).toBe('Dead letters - asyncfn');
  expect(await page.locator('img[src="x"], script:not([src])').count()).toBe(0);
  expect(Number(await page.evaluate('document.documentElement.scrollWidth - innerWidth'))).toBeLessThanOrEqual(0);
  expect(complaints).toEqual([]);
});

describe('with tokens', () => {
  const [reader, boss] = [createToken(), createToken()];
  let url: string;
  beforeAll(async () => {
    const path = join(stack.folder, 'tokens.json');
    const entry = (secret: string, scope: string) => ({ hash: formatHash(hashToken(secret)), scopes: [scope] });
    await writeFile(path, JSON.stringify({ tokens: { reader: entry(reader, 'read'), boss: entry(boss, 'admin') } }));
    url = (await stack.startGateway({ AUTH_TOKENS_FILE: path })).url;
  });

  test('one signs in with a token, which the tab forgets when one signs out', async () => {
    await using console = await openConsole(browser, url);
    const { page, complaints } = console;
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByLabel('Token').fill('asyncfn_wrong');
    await page.keyboard.press('Enter');
    await page.getByText('The gateway does not accept this token.').waitFor();
    await page.getByLabel('Token').fill(boss);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as boss').waitFor();
    await page.reload();
    await page.getByText('Signed in as boss').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByRole('heading', { name: 'Sign in' }).waitFor();
    expect(await page.evaluate('JSON.stringify(sessionStorage) + JSON.stringify(localStorage) + document.cookie')).toBe(
      '{}{}',
    );
    expect(complaints).toEqual([]);
  });

  test('what a token may not do is not offered', async () => {
    await using console = await openConsole(browser, url);
    const { page } = console;
    await page.getByLabel('Token').fill(reader);
    await page.keyboard.press('Enter');
    await page.getByText('Signed in as reader').waitFor();
    expect(await page.getByRole('navigation').getByRole('link').allTextContents()).toEqual(['Calls', 'Flow keys']);
    await page.goto(`${url}/console/dead-letters`);
    await page.getByRole('heading', { name: 'No such page' }).waitFor();
  });
});

test('a broker that is killed is soon said to be away, and to be back by itself', async () => {
  await using console = await openConsole(browser, stack.gateway.url);
  const { page, complaints } = console;
  await page.getByText('Connected').waitFor();
  stack.nats.signal('SIGKILL');
  await stack.nats.exited;
  const killedAt = performance.now();
  await page
    .getByRole('alert')
    .getByText(/The broker \(NATS\) is unavailable|The gateway takes long to answer/)
    .waitFor();
  expect(performance.now() - killedAt).toBeLessThan(30_000);
  await page.getByText('The broker (NATS) is unavailable').waitFor();
  await stack.nats.restart();
  await page.getByText('Connected').waitFor();
  expect(await page.getByRole('alert').textContent()).toBe('');
  expect(complaints).toEqual([]);
});

describe('with 1,000 functions', () => {
  const count = 1_000;

  beforeAll(async () => {
    const many = Array.from({ length: count }, (_, at) => [`many-${String(at).padStart(4, '0')}`, fn.url] as const);
    await stack.writeFunctions({ ...Object.fromEntries(many), picky: fn.url });
    await eventually(async () => {
      const answer = await fetch(`${stack.gateway.url}/system/functions`);
      return ((await answer.json()) as { functions: unknown[] }).functions.length >= count;
    });
  });

  test('the list is searched and scrolled, and holds no more rows than are seen', async () => {
    await using console = await openConsole(browser, stack.gateway.url, { path: '/functions' });
    const { page, complaints } = console;
    const table = page.getByRole('table', { name: 'Functions' });
    await table.getByText('many-0003').waitFor();
    expect(Number(await table.getAttribute('aria-rowcount'))).toBeGreaterThan(count);
    expect(await table.locator('tbody tr').count()).toBeLessThan(60);
    // A browser that is busy with the page may miss a key.
    await eventually(
      async () => {
        await page.keyboard.press('End');
        return await table.getByText('many-0999').isVisible();
      },
      { message: 'the end of the table is not in view' },
    );
    await page.getByLabel('Find a function or a queue').fill('many-0500');
    await table.getByRole('link', { name: 'many-0500' }).click();
    await page.getByRole('heading', { level: 1, name: 'many-0500' }).waitFor();
    expect(complaints).toEqual([]);
  });
});
