import { startProgram } from '../processes/index.ts';
import { command } from './control-server.ts';

export interface ServiceSettings {
  readonly gatewayUrl: string;
  readonly token: string;
  /** The name of its function. */
  readonly name: string;
  readonly perSecond: number;
  readonly durationMs: number;
  /** Header that has another value for each call. Default: none. */
  readonly nonceHeader?: string;
}

/** The caller's measurements: times since its request. */
export interface Service {
  readonly calls: number;
  /** Of these, the calls that were not accepted, or had no callback within 15 s. */
  readonly lost: number;
  /** Until the 202. */
  readonly acceptP50Ms: number;
  readonly acceptP99Ms: number;
  /** Until the request to the function. */
  readonly callP50Ms: number;
  readonly callP99Ms: number;
  /** Until the callback. */
  readonly callbackP50Ms: number;
  readonly callbackP99Ms: number;
}

/** The caller whose calls are measured, in a separate process. */
export interface Neighbour extends AsyncDisposable {
  /** The name of its function. */
  readonly url: string;
  measure(settings: ServiceSettings): Promise<Service>;
}

export async function startNeighbour(): Promise<Neighbour> {
  const module = new URL('./neighbour-main.js', import.meta.url);
  const program = await startProgram<{ controlPort: number; port: number }>(module, {});
  const { controlPort, port } = program.said;
  return {
    url: `http://127.0.0.1:${port}`,
    measure: (settings) => command<Service>(controlPort, 'measure', settings),
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}
