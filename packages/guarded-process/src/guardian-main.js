/**
 * The guardian: ends the children of its parent when the parent is gone, however it went.
 *
 * The IPC channel is the lifeline. The kernel closes it when the parent dies, by SIGKILL too, which no handler
 * in the parent could report. Plain JavaScript, because the oldest Node we support cannot run TypeScript and this
 * file has to start from the sources as well as from `dist`.
 */
import process from 'node:process';

/** @typedef {import('./guardian-protocol.ts').GuardianMessage} GuardianMessage */

const pollMs = 20;

/** The children to end, each with its grace in milliseconds. @type {Map<number, number>} */
const guarded = new Map();

/** @param {number} pid @param {NodeJS.Signals | 0} signal @returns {boolean} whether there is such a process */
function signalTo(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    return false;
  }
}

/** @param {number} pid @param {number} graceMs */
function endOrphan(pid, graceMs) {
  signalTo(pid, 'SIGTERM');
  // A paused child cannot obey before it runs again.
  signalTo(pid, 'SIGCONT');
  const killAt = performance.now() + graceMs;
  // Once it has ended, its pid may become that of another process.
  const poll = setInterval(() => {
    if (!signalTo(pid, 0)) {
      clearInterval(poll);
    } else if (performance.now() >= killAt) {
      signalTo(pid, 'SIGKILL');
      clearInterval(poll);
    }
  }, pollMs);
}

// Signals sent to the whole group or session are the parent's business.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) {
  process.on(signal, () => {});
}
process.once('disconnect', () => {
  for (const [pid, graceMs] of guarded) {
    endOrphan(pid, graceMs);
  }
  // Signal handlers do not keep a process, so this one ends with the last orphan.
});
process.on('message', (value) => {
  const message = /** @type {GuardianMessage} */ (value);
  if (message.type === 'guard') {
    guarded.set(message.pid, message.orphanGraceMs);
  } else {
    guarded.delete(message.pid);
  }
});
// A channel that is closed before its listeners are there is not noticed.
process.send?.('ready');
