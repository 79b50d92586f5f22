// Imports nothing: whatever it imported would be loaded before a signal can be heard.

/** The part of Node's `process` that is used while modules load. */
interface LoadingProcess {
  on(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  off(event: 'SIGTERM' | 'SIGINT', listener: () => void): unknown;
  exit(code: number): unknown;
}

/**
 * Loads what a process runs, and runs it. A signal that comes before that ends the process with 0, since nothing has
 * begun: the first process of a container would not get it without a handler, and loading takes a tenth of a second or
 * more. Meant to be all that a main module imports and does.
 *
 * @param load imports the module; its `run` has to listen to signals before it first waits
 */
export async function loadAndRun<P extends LoadingProcess>(
  process: P,
  load: () => Promise<{ run(process: P): Promise<void> }>,
): Promise<void> {
  const exit = (): unknown => process.exit(0);
  process.on('SIGTERM', exit);
  process.on('SIGINT', exit);
  const program = await load();
  const running = program.run(process);
  // Not before it listens: Node would drop a signal that came during the last step of loading and is still to be heard.
  process.off('SIGTERM', exit);
  process.off('SIGINT', exit);
  await running;
}
