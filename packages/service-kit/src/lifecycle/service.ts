/**
 * Something that is started once, works, and is stopped once.
 *
 * - `start()` resolves when the service is ready for work, and rejects when it cannot become so. Calling it again
 *   gives the same result. It rejects once a stop has been asked for: a stopped service stays stopped.
 * - `stop()` resolves when everything has stopped, and rejects when it could not be stopped cleanly. It may be called
 *   at any time: before `start()`, while that runs, after it failed, and again; all callers share one result.
 */
export interface Service extends AsyncDisposable {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface ServiceHooks {
  /**
   * Runs at most once. The signal aborts when a stop is asked for: give up and return or reject, soon. It must not
   * wait for its own `stop()`, which waits for it.
   */
  start(signal: AbortSignal): Promise<void> | void;
  /**
   * Runs at most once, after the start hook has settled, and only if that has run. It runs after a failed start too, so
   * it must cope with what is only half there.
   */
  stop(): Promise<void> | void;
}

/** A {@link Service} of two hooks, which need not think about repeated, early or concurrent calls. */
export function createService(hooks: ServiceHooks): Service {
  const stopping = new AbortController();
  let started: Promise<void> | undefined;
  let begun = false;
  let stopped: Promise<void> | undefined;

  async function runStart(): Promise<void> {
    stopping.signal.throwIfAborted();
    begun = true;
    await hooks.start(stopping.signal);
    stopping.signal.throwIfAborted();
  }

  async function runStop(): Promise<void> {
    stopping.abort(new ServiceStoppedError());
    // Why it did not start is the business of the caller of start().
    await started?.catch(() => undefined);
    if (begun) {
      await hooks.stop();
    }
  }

  function start(): Promise<void> {
    if (started === undefined && stopped !== undefined) {
      return Promise.reject(new ServiceStoppedError());
    }
    // Not at once, so that a hook which calls stop() finds `started` set.
    started ??= Promise.resolve().then(runStart);
    return started;
  }

  function stop(): Promise<void> {
    stopped ??= runStop();
    return stopped;
  }

  return { start, stop, [Symbol.asyncDispose]: stop };
}

/** Why `start()` rejects on a service that was asked to stop. */
export class ServiceStoppedError extends Error {
  override readonly name = 'ServiceStoppedError';
  readonly code = 'service_stopped';

  constructor() {
    super('the service has been stopped');
  }
}
