// Tries the image that has everything in it: node scripts/image/try.js IMAGE
// It makes a call, waits for its result, stops the container, starts another one on the same volume, and expects to find
// the call there. Fails with the container's log if anything is not as it should be. Leaves nothing behind.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';

const patienceMs = 120_000;
const [image] = process.argv.slice(2);
if (image === undefined) {
  process.stderr.write('try.js: name an image\n');
  process.exit(64);
}
const name = `asyncfn-try-${process.pid}`;
// While the container starts, Docker's proxy takes connections and drops them, and Node ends with a request under way.
const staysAlive = setInterval(() => {}, 1_000);

try {
  await tryImage();
  process.stdout.write(`${image}: a call ran, and was still known after a restart\n`);
} catch (error) {
  process.stderr.write(`try.js: ${error.message}\n${docker(['logs', name], true)}\n`);
  process.exitCode = 1;
} finally {
  docker(['rm', '--force', '--volumes', name], true);
  docker(['volume', 'rm', '--force', name], true);
  clearInterval(staysAlive);
}

async function tryImage() {
  let api = await start();
  const call = await fetchJson(`${api}/async-function/hash`, { method: 'POST', body: 'hello' });
  expect(await fetchJson(`${api}/async-function/${call.callId}?wait=60s`), 'succeeded');
  const result = await fetch(`${api}/async-function/${call.callId}/result`);
  const digest = createHash('sha256').update('hello').digest('hex');
  const text = await result.text();
  if (!text.includes(digest)) {
    throw new Error(`the result of hash is ${JSON.stringify(text)}, without ${digest}`);
  }
  stop();
  docker(['rm', name]);
  api = await start();
  expect(await fetchJson(`${api}/async-function/${call.callId}`), 'succeeded');
  stop();
}

/** The base URL of the API, once the gateway is ready. */
async function start() {
  docker(['run', '--detach', '--name', name, '--publish', '127.0.0.1::8080', '--volume', `${name}:/data`, image]);
  const address = docker(['port', name, '8080']).trim();
  const api = `http://${address}`;
  const until = Date.now() + patienceMs;
  while (!(await isUp(api))) {
    if (Date.now() > until || docker(['inspect', '--format', '{{.State.Running}}', name]).trim() !== 'true') {
      throw new Error('the container does not answer');
    }
    await sleep(500);
  }
  return api;
}

async function isUp(api) {
  try {
    // `pnpm start` opens its ports once everything is ready to be used.
    return (await fetch(`${api}/system/queues/default`, { signal: AbortSignal.timeout(5_000) })).ok;
  } catch {
    return false;
  }
}

function stop() {
  docker(['stop', '--time', '60', name]);
  const code = docker(['inspect', '--format', '{{.State.ExitCode}}', name]).trim();
  if (code !== '0') {
    throw new Error(`after docker stop the exit code is ${code} instead of 0`);
  }
}

async function fetchJson(url, init) {
  const response = await fetch(url, init);
  const text = await response.text();
  if (!response.ok) {
    throw new Error(`${url}: ${response.status} ${text}`);
  }
  return JSON.parse(text);
}

function expect(state, status) {
  if (state.status !== status) {
    throw new Error(`the call is ${JSON.stringify(state)}, not ${status}`);
  }
}

/** The output of docker. Throws if it fails, unless that does not matter. */
function docker(args, mayFail = false) {
  const { status, stdout, stderr, error } = spawnSync('docker', args, { encoding: 'utf8' });
  if (status !== 0 && !mayFail) {
    throw new Error(`docker ${args.join(' ')}: ${error?.message ?? stderr}`);
  }
  return mayFail ? `${stdout}${stderr}` : stdout;
}
