import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { eventually } from '@asyncfn/testkit';
import { expect, inject, test } from 'vitest';
import { createTemporaryFolder } from './temporary-folder.ts';

test('a server does not outlive a parent that was killed by SIGKILL', async () => {
  // The only thing left behind then is the temporary store, which is removed with this folder.
  await using folder = await createTemporaryFolder();
  const index = new URL('../dist/index.js', import.meta.url).href;
  const script = `
    import { startNatsServer } from ${JSON.stringify(index)};
    const { pid } = await startNatsServer({ bin: ${JSON.stringify(inject('natsServerBin'))} });
    console.log(pid);
  `;
  const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
    env: { ...process.env, TMPDIR: folder.path },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const failed = once(parent, 'exit').then(([code]) => {
    throw new Error(`the parent ended with code ${code} before it had a server`);
  });
  const [line] = await Promise.race([once(createInterface({ input: parent.stdout }), 'line'), failed]);
  const pid = Number(line);
  expect(process.kill(pid, 0)).toBe(true);
  parent.kill('SIGKILL');
  await eventually(() => {
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
    return true;
  });
});
