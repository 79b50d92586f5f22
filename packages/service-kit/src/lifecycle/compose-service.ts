import { setMaxListeners } from 'node:events';
import { ConfigError } from '../config/index.ts';
import type { Logger } from '../logging/index.ts';
import { type Component, ComponentError } from './component.ts';
import { type Phase, runPhases } from './phases.ts';
import { createService, type Service } from './service.ts';

export interface ComposeOptions {
  /** Whose components they are, for errors: `the worker`. */
  readonly name: string;
  readonly logger: Logger;
  /**
   * Aborts as soon as a stop is asked for or a component fails to start, and is the signal that components are started
   * with. Default: one of its own.
   */
  readonly stopping?: AbortController;
}

/**
 * A {@link Service} of components. `start()` starts them one after the other; if one fails, or a stop is asked for
 * meanwhile, those after it are not started, those before it are stopped, and it rejects with a {@link ComponentError}
 * that names the one that failed, or with the `ConfigError` that it threw. `stop()` drains and stops them one by one in
 * reverse order, whatever fails or takes too long on the way; then it rejects, and names each component that did.
 */
export function composeService(components: readonly Component[], options: ComposeOptions): Service {
  const { stopping = new AbortController() } = options;
  // Every loop and every client that waits listens: Node would take more than ten for a leak.
  setMaxListeners(0, stopping.signal);
  const begun: Component[] = [];
  let stopped: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    stopping.abort();
    stopped ??= stopComponents(begun, options);
    return stopped;
  };
  return createService({
    async start(signal) {
      signal.addEventListener('abort', () => stopping.abort(), { once: true });
      try {
        for (const component of components) {
          signal.throwIfAborted();
          begun.push(component);
          await startComponent(component, stopping.signal);
        }
      } catch (error) {
        // Every caller of stop() sees how this ends, and the log has each phase of it.
        stop().catch(() => {});
        throw error;
      }
    },
    stop,
  });
}

async function startComponent(component: Component, signal: AbortSignal): Promise<void> {
  try {
    await component.start?.(signal);
  } catch (error) {
    // It names the setting that is wrong, which is more than the name of a component.
    throw error instanceof ConfigError ? error : new ComponentError(component.name, error);
  }
}

async function stopComponents(begun: readonly Component[], { name, logger }: ComposeOptions): Promise<void> {
  const steps = begun.toReversed().flatMap(toSteps);
  const { phases } = await runPhases(
    steps.map(({ phase }) => phase),
    { logger },
  );
  const failed = steps.filter((_, index) => phases[index]?.outcome !== 'done');
  if (failed.length > 0) {
    const which = failed.map(({ component, phase }) => `${component} (${phase.name})`).join(', ');
    throw new Error(`${name} did not stop cleanly: ${which}; the phases logged before say why`);
  }
}

interface Step {
  readonly component: string;
  readonly phase: Phase;
}

function toSteps({ name, drain, stop }: Component): Step[] {
  return [drain, stop].filter((phase) => phase !== undefined).map((phase) => ({ component: name, phase }));
}
