import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createSigningSecret, parseSigningSecret, signWebhook } from '@asyncfn/queue-core/webhook';
import { expect, test } from 'vitest';

/** Runs one of the entries for containers on a free port. */
async function run(entry: string, env: Record<string, string> = {}) {
  const script = fileURLToPath(new URL(`../dist/${entry}`, import.meta.url));
  const child = spawn(process.execPath, [script], { env: { ...process.env, PORT: '0', ...env }, stdio: 'pipe' });
  const lines = createInterface(child.stdout);
  for await (const line of lines) {
    const { msg, port } = JSON.parse(line);
    if (msg === 'listening') {
      return { child, url: `http://127.0.0.1:${port}`, [Symbol.dispose]: () => kill(child) };
    }
  }
  throw new Error(`${entry} ended without listening`);
}

function kill(child: ChildProcess): void {
  child.kill('SIGKILL');
}

test.each(['functions-main.js', 'inbox-main.js'])('%s serves, and ends with 0 on SIGTERM', async (entry) => {
  using app = await run(entry);
  expect((await fetch(`${app.url}/healthz`)).status).toBe(200);
  const exited = once(app.child, 'exit');
  app.child.kill('SIGTERM');
  expect(await exited).toEqual([0, null]);
});

test('the inbox trusts the secrets in its settings', async () => {
  const [trusted, unknown] = [createSigningSecret(), createSigningSecret()];
  using inbox = await run('inbox-main.js', { INBOX_SIGNING_SECRETS: trusted });
  const body = Buffer.from([0xff, 0x00]);
  for (const secret of [trusted, unknown]) {
    const message = { id: 'call-1', timestampSeconds: Math.floor(Date.now() / 1000), body };
    const headers = { ...signWebhook([parseSigningSecret(secret)!], message) };
    await fetch(`${inbox.url}/callbacks/demo`, { method: 'POST', body, headers });
  }
  const text = await (await fetch(inbox.url)).text();
  expect(text.match(/signature: .*/g)).toEqual(['signature: invalid (no signature matches)', 'signature: valid']);
});

test('a bad port ends it with 78, and the error names the variable', async () => {
  const script = fileURLToPath(new URL('../dist/inbox-main.js', import.meta.url));
  const child = spawn(process.execPath, [script], { env: { ...process.env, PORT: 'x' }, stdio: 'pipe' });
  const [[message], exit] = await Promise.all([once(child.stderr, 'data'), once(child, 'exit')]);
  expect(String(message)).toContain('PORT: "x" is not a whole number');
  expect(exit).toEqual([78, null]);
});
