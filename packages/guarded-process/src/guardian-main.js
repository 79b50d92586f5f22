/**
 * The guardian: runs one child for a parent and ends that child when the parent is gone, however it went.
 *
 * The IPC channel is the lifeline. The kernel closes it when the parent dies, by SIGKILL too, which no handler
 * in the parent could report. Plain JavaScript, because the oldest Node we support cannot run TypeScript and this
 * file has to start from the sources as well as from `dist`.
 */
import { spawn } from 'node:child_process';
import process from 'node:process';

/** @typedef {import('./guardian-protocol.ts').RunMessage} RunMessage */
/** @typedef {import('./guardian-protocol.ts').GuardianMessage} GuardianMessage */
/** @typedef {import('node:child_process').ChildProcess} ChildProcess */

/** @type {ChildProcess | undefined} */
let guarded;
let graceMs = 0;

/** @param {GuardianMessage} message @param {() => void} [sent] */
function report(message, sent = () => {}) {
  if (process.connected && process.send !== undefined) {
    process.send(message, sent);
  } else {
    sent();
  }
}

/** @param {ChildProcess} child */
function endOrphan(child) {
  child.kill('SIGTERM');
  // A paused child cannot obey before it runs again.
  child.kill('SIGCONT');
  setTimeout(() => child.kill('SIGKILL'), graceMs);
}

/** @param {RunMessage} run */
function runChild({ command, args, cwd, env, orphanGraceMs }) {
  // The child writes straight into the parent's pipes: output costs the guardian nothing.
  const child = spawn(command, args, { cwd, env, stdio: ['ignore', 'inherit', 'inherit'] });
  const { pid } = child;
  child.once('error', (/** @type {NodeJS.ErrnoException} */ error) => {
    if (pid !== undefined) {
      return; // a signal that came too late, not a failed start
    }
    report({ type: 'refused', code: error.code ?? 'UNKNOWN', message: error.message }, () => process.exit(0));
  });
  if (pid === undefined) {
    return;
  }
  child.once('exit', (code, signal) => report({ type: 'exited', code, signal }, () => process.exit(0)));
  guarded = child;
  graceMs = orphanGraceMs;
  report({ type: 'spawned', pid });
}

// Signals sent to the whole group or session are the child's business; the guardian stays until the child has ended.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {});
}
process.once('disconnect', () => {
  if (guarded === undefined) {
    process.exit(0);
  }
  endOrphan(guarded);
});
process.once('message', (message) => runChild(/** @type {RunMessage} */ (message)));
