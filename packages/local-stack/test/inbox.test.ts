import { once } from 'node:events';
import { request } from 'node:http';
import { text } from 'node:stream/consumers';
import { createSigningSecret, parseSigningSecret } from '@asyncfn/queue-core/webhook';
import { OwnHosts } from '@asyncfn/service-kit';
import { eventually } from '@asyncfn/testkit';
import { Webhook } from 'standardwebhooks';
import { expect, test } from 'vitest';
import { createInbox } from '../src/inbox/inbox.ts';
import { recordingLogger, serve } from './serve.ts';

const NOON = Date.UTC(2026, 0, 2, 12);
const SECRET = createSigningSecret();
const OTHER_SECRET = createSigningSecret();

async function setup() {
  const { logger, lines } = recordingLogger();
  const listener = await serve(
    createInbox({
      logger,
      signingSecrets: [SECRET, OTHER_SECRET].map((text) => parseSigningSecret(text)!),
      ownHosts: new OwnHosts([{ kind: 'host', host: 'inbox' }]),
      consoleUrl: () => 'http://gateway:8080/console',
      now: () => NOON,
    }),
    { logger, lines },
  );
  const { url } = listener;
  return {
    url,
    lines,
    deliver: (callId: string, body: string | Uint8Array = '', path = '/callbacks/demo', headers = {}) =>
      fetch(`${url}${path}`, { method: 'POST', body, headers: { ...FACTS, 'X-Call-Id': callId, ...headers } }),
    read: async (accept = '*/*') => await (await fetch(url, { headers: { accept } })).text(),
    [Symbol.asyncDispose]: () => listener.stop(),
  };
}

const FACTS = {
  'Content-Type': 'text/plain',
  'X-Function-Name': 'hash',
  'X-Function-Status': '200',
  'X-Duration-Seconds': '0.004',
  'X-Retry': '1',
};

test('an empty inbox says so', async () => {
  await using inbox = await setup();
  expect(await inbox.read()).toBe('No callbacks yet.\n');
});

test('a callback is answered 204 and shown as text with its facts and its body', async () => {
  await using inbox = await setup();
  expect((await inbox.deliver('call-1', 'cafe')).status).toBe(204);
  expect(await inbox.read()).toBe(
    '1 callback, newest first\n\n' +
      '2026-01-02T12:00:00.000Z  200  hash  0.004 s  call-1  text/plain  4 B  signature: none\n    cafe\n',
  );
});

test('a call id leads to the call in the console, whatever it contains', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1');
  await inbox.deliver('"><script>/..');
  await fetch(`${inbox.url}/callbacks/demo`, { method: 'POST' });
  const page = await inbox.read('text/html');
  expect(page).toContain('<td><a href="http://gateway:8080/console/calls/call-1">call-1</a></td>');
  expect(page).toContain(
    '<a href="http://gateway:8080/console/calls/%22%3E%3Cscript%3E%2F..">&#34;&#62;&#60;script&#62;/..</a>',
  );
  expect(page.match(/<a /g)).toHaveLength(2);
  expect(page).not.toContain('<script>');
});

test('a web page whose host name resolves to the inbox is shown nothing, and callbacks come under any name', async () => {
  await using inbox = await setup();
  const ask = async (method: 'GET' | 'POST', host: string) => {
    const [response] = await once(request(`${inbox.url}/callbacks`, { method, headers: { host } }).end(), 'response');
    return { status: response.statusCode, text: await text(response) };
  };
  expect((await ask('POST', 'receiver.example')).status).toBe(204);
  expect(await ask('GET', 'evil.example:8090')).toMatchObject({
    status: 403,
    text: expect.stringContaining('ALLOWED_HOSTS'),
  });
  expect((await ask('GET', 'inbox:8090')).status).toBe(200);
  expect((await ask('GET', 'localhost:8090')).status).toBe(200);
});

test('the last 100 are kept and shown newest first', async () => {
  await using inbox = await setup();
  for (let i = 1; i <= 103; i++) {
    await inbox.deliver(`call-${i}`);
  }
  const text = await inbox.read();
  expect(text).toContain('103 callbacks, the last 100 shown, newest first');
  expect(text.match(/call-\d+/g)).toEqual(Array.from({ length: 100 }, (_, i) => `call-${103 - i}`));
});

test('control characters never reach the terminal', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1', 'a\x1b[31mred\x07\r\nb\u202ec\x9b');
  await inbox.deliver('call-2', Buffer.from([0xff, 0x00, 0x9b, 0x41]));
  const text = await inbox.read();
  expect(text).toContain('a·[31mred···b·c·');
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{C}/u);
});

test('a browser gets a page that reloads itself and escapes everything', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1', '<script>alert("1")</script>&');
  const answer = await fetch(inbox.url, { headers: { accept: 'text/html,*/*;q=0.8' } });
  const page = await answer.text();
  expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
  expect(page).toContain('http-equiv="refresh"');
  expect(page).toContain('&#60;script&#62;alert(&#34;1&#34;)&#60;/script&#62;&#38;');
  expect(page).not.toContain('<script');
});

test('a program gets JSON', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1', 'cafe', '/');
  expect(JSON.parse(await inbox.read('application/json'))).toEqual({
    total: 1,
    callbacks: [
      {
        receivedAt: '2026-01-02T12:00:00.000Z',
        target: '/',
        callId: 'call-1',
        functionName: 'hash',
        functionStatus: '200',
        durationSeconds: '0.004',
        retries: '1',
        contentType: 'text/plain',
        bytes: 4,
        answered: 204,
        signature: 'none',
        body: 'cafe',
        bodyTruncated: false,
      },
    ],
  });
});

/** Signed like a real callback, with the public package. */
function sign(body: string, { secret = SECRET, id = 'call-1', at = NOON } = {}): Record<string, string> {
  const signature = new Webhook(secret).sign(id, new Date(at), body);
  return { 'webhook-id': id, 'webhook-timestamp': String(at / 1000), 'webhook-signature': signature };
}

const large = 'x'.repeat(1_000_000);

test.each([
  ['valid', 'cafe', sign('cafe')],
  ['valid', 'cafe', sign('cafe', { secret: OTHER_SECRET })],
  ['valid', '', sign('')],
  ['valid', large, sign(large)],
  ['invalid (no signature matches)', 'café', sign('cafe')],
  ['invalid (no signature matches)', `${large.slice(1)}y`, sign(large)],
  ['invalid (no signature matches)', 'cafe', sign('cafe', { secret: createSigningSecret() })],
  ['invalid (signed more than 5 minutes ago)', 'cafe', sign('cafe', { at: NOON - 301_000 })],
  ['invalid (webhook-id is missing)', 'cafe', { ...sign('cafe'), 'webhook-id': '' }],
  ['none', 'cafe', { 'webhook-id': 'call-1' }],
])('the signature of a callback is shown as %s, in every view', async (signature, body, headers) => {
  await using inbox = await setup();
  expect((await inbox.deliver('call-1', body, '/callbacks', headers)).status).toBe(204);
  expect(await inbox.read()).toContain(`  signature: ${signature}\n`);
  expect(await inbox.read('text/html')).toContain(`<td>${signature}</td>`);
  expect(JSON.parse(await inbox.read('application/json')).callbacks[0]).toMatchObject({ signature });
  const line = await eventually(() => inbox.lines.find((text) => text.includes('callback received')));
  expect(JSON.parse(line)).toMatchObject({ signature });
});

test('only the beginning of a large body is kept', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1', 'x'.repeat(20_000_000));
  const { callbacks } = JSON.parse(await inbox.read('application/json'));
  expect(callbacks[0]).toMatchObject({ bytes: 20_000_000, body: 'x'.repeat(64 * 1024), bodyTruncated: true });
  expect(await inbox.read()).toContain(`    ${'x'.repeat(200)}…\n`);
});

test('the inbox answers with another status for a demo, and still shows the callback', async () => {
  await using inbox = await setup();
  expect((await inbox.deliver('call-1', '', '/callbacks/x?status=500')).status).toBe(500);
  expect((await inbox.deliver('call-2', '', '/callbacks/x?status=1000')).status).toBe(400);
  expect(await inbox.read()).toMatch(/^1 callback,/);
});

test('other paths are refused', async () => {
  await using inbox = await setup();
  expect((await inbox.deliver('call-1', '', '/elsewhere')).status).toBe(404);
  expect((await fetch(`${inbox.url}/elsewhere`)).status).toBe(404);
  expect((await fetch(`${inbox.url}/healthz`)).status).toBe(200);
});

test('a callback is logged without its body', async () => {
  await using inbox = await setup();
  await inbox.deliver('call-1', 's3cret', '/callbacks/x?token=s3cret');
  const line = await eventually(() => inbox.lines.find((text) => text.includes('callback received')));
  expect(JSON.parse(line)).toMatchObject({ callId: 'call-1', function: 'hash', status: '200', bytes: 6 });
  expect(inbox.lines.join('')).not.toContain('s3cret');
});
