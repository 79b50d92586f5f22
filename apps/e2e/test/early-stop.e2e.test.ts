import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const apps = new URL('../../', import.meta.url);
const signalAtImport = new URL('./harness/signal-at-import.mjs', import.meta.url);

const mains = [
  'gateway/dist/main.js',
  'worker/dist/main.js',
  'local/dist/main.js',
  'local/dist/functions-main.js',
  'local/dist/inbox-main.js',
  'local/dist/load-main.js',
];

interface End {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stderr: string;
}

/** The modules that a main module loads: those of a bundle, or of the sources. */
const firstLoaded = '^\\./run-|^@asyncfn/service-kit$';

/** Starts the process and sends it the signal while it loads its modules. */
async function signalWhileLoading(main: string, signal: NodeJS.Signals): Promise<End> {
  const child = spawn(process.execPath, ['--import', signalAtImport.href, fileURLToPath(new URL(main, apps))], {
    env: { SIGNAL: signal, SIGNAL_AT: firstLoaded },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let stderr = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const [code, endedBy] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal: endedBy, stderr };
}

// The first process of a container gets no signal without a handler for it, so `docker stop` would wait in vain.
describe.each(mains)('%s, while it loads its modules,', (main) => {
  test.each(['SIGTERM', 'SIGINT'] as const)('ends with 0 on %s', async (signal) => {
    expect(await signalWhileLoading(main, signal)).toEqual({ code: 0, signal: null, stderr: '' });
  });
});
