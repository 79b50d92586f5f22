import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { request } from 'undici';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startTestGateway, type TestGateway } from './gateway-fixture.ts';
import { testToken, tokensOf } from './test-tokens.ts';

const page = '<!doctype html><title>asyncfn</title>';
const script = 'export const one = 1;';

let folder: string;
let gateway: TestGateway;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'console-'));
  await mkdir(join(folder, 'assets'));
  await writeFile(join(folder, 'index.html.gz'), gzipSync(page));
  await writeFile(join(folder, 'assets', 'index-Ab_1.js.gz'), gzipSync(script));
  await writeFile(join(folder, 'secret.js.gz'), gzipSync('secret'));
  gateway = await startTestGateway({ consoleFolder: folder });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function get(path: string, headers: Record<string, string> = {}, from = gateway) {
  const answer = await request(`${from.url}${path}`, { headers });
  return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) };
}

describe('the console', () => {
  test.each([
    '/console',
    '/console/',
    '/console/functions/hash.prod',
    '/console/calls/0197?wait=x',
    '/console/index.html',
  ])('%s is its page, which no cache may use without asking', async (path) => {
    const { status, headers, body } = await get(path);
    expect([status, body.toString()]).toEqual([200, page]);
    expect(headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
    expect((await get(path, { 'if-none-match': String(headers['etag']) })).status).toBe(304);
  });

  test('a client that has the page gets no second one, however its tag came there', async () => {
    const { headers } = await get('/console', { 'accept-encoding': 'gzip' });
    const tag = String(headers['etag']);
    expect(tag).toMatch(/^W\/"[\w-]{22}"$/);
    const strong = tag.slice(2);
    for (const known of [tag, strong, `"other", ${tag}`, `W/"other",${strong}`]) {
      expect((await get('/console', { 'if-none-match': known })).status).toBe(304);
    }
    expect((await get('/console', { 'if-none-match': '"other", W/"another"' })).status).toBe(200);
  });

  test('its files have names of their own for each content, and are kept for ever', async () => {
    const { status, headers, body } = await get('/console/assets/index-Ab_1.js');
    expect([status, body.toString()]).toEqual([200, script]);
    expect(headers).toMatchObject({
      'content-type': 'text/javascript; charset=utf-8',
      'cache-control': 'public, max-age=31536000, immutable',
    });
  });

  test('nothing of it runs that is not its own, and nothing may frame it', async () => {
    for (const path of ['/console', '/console/assets/index-Ab_1.js']) {
      const { headers } = await get(path);
      expect(headers).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
      });
      const policy = String(headers['content-security-policy']).split('; ');
      expect(policy).toEqual(
        expect.arrayContaining([
          "default-src 'none'",
          "script-src 'self'",
          "style-src 'self'",
          "frame-ancestors 'none'",
        ]),
      );
      expect(policy.join()).not.toContain('unsafe');
    }
  });

  test.each([
    ['gzip, deflate, br', 'gzip'],
    ['*', 'gzip'],
    ['br;q=1, gzip;q=0.5', 'gzip'],
    ['gzip;q=0', undefined],
    ['gzip;q=0, *', undefined],
    ['identity, gzip;q=0.5', undefined],
    ['gzip;q=0.5, identity;q=0.1', 'gzip'],
    ['identity', undefined],
  ])('for Accept-Encoding: %s it is sent as %s', async (accepted, sent) => {
    const { headers, body } = await get('/console', { 'accept-encoding': accepted });
    expect([headers['content-encoding'], headers['vary']]).toEqual([sent, 'Accept-Encoding']);
    expect(body).toEqual(sent === undefined ? Buffer.from(page) : gzipSync(page));
  });

  test.each([
    '/console/assets/other.js',
    '/console/assets/index-Ab_1.js.gz',
    '/console/assets/',
    '/console/assets/..%2fsecret.js',
    '/console/assets/..%5csecret.js',
  ])('%s is not a file of it', async (path) => {
    const { status, body } = await get(path);
    expect([status, body.toString()]).toEqual([404, expect.stringContaining('not_found')]);
  });

  test('it can be left out', async () => {
    await using without = await startTestGateway({ consoleFolder: undefined });
    for (const path of ['/console', '/console/', '/console/functions', '/console/assets/index-Ab_1.js']) {
      expect((await get(path, {}, without)).status).toBe(404);
    }
    expect((await get('/system/token', {}, without)).status).toBe(200);
  });
});

describe('who the caller is', () => {
  test('without tokens, everybody may do everything', async () => {
    const { status, headers, body } = await get('/system/token');
    expect([status, headers['cache-control']]).toEqual([200, 'private, no-store']);
    expect(JSON.parse(body.toString())).toEqual({
      scopes: ['invoke', 'read', 'admin'],
      needsToken: false,
      version: '1.2.3',
    });
  });

  test('a token has a name and its scopes; admin has all', async () => {
    const [reader, admin] = [testToken('reader', { scopes: ['read'] }), testToken('boss', { scopes: ['admin'] })];
    const tokens = tokensOf([reader, admin]);
    await using closed = await startTestGateway({ tokens: () => tokens });
    const ask = async (authorization: string) =>
      JSON.parse((await get('/system/token', { authorization }, closed)).body.toString());
    expect(await ask(reader.bearer)).toMatchObject({ name: 'reader', scopes: ['read'], needsToken: true });
    expect(await ask(admin.bearer)).toMatchObject({ name: 'boss', scopes: ['invoke', 'read', 'admin'] });
    expect((await get('/system/token', {}, closed)).status).toBe(401);
  });
});
