// Loaded by `node --import`. Sends the process SIGNAL when it loads a module that the regular expression SIGNAL_AT
// matches. That module never loads, so the process stays in the middle of its start.
import { register } from 'node:module';
import { isMainThread } from 'node:worker_threads';

if (isMainThread) {
  register(import.meta.url);
  // On a busy machine the process would run out of things to wait for, and end, before the signal reaches it.
  setTimeout(() => {}, 60_000);
}

export function resolve(specifier, context, next) {
  if (!new RegExp(process.env.SIGNAL_AT).test(specifier)) {
    return next(specifier, context);
  }
  process.kill(process.pid, process.env.SIGNAL);
  return new Promise(() => {});
}
