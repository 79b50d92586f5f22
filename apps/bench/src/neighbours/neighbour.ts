import { startProgram } from '../processes/index.ts';
import { command } from './control-server.ts';

export interface ServiceSettings {
  readonly gatewayUrl: string;
  readonly token: string;
  /** Of its function. */
  readonly name: string;
  readonly perSecond: number;
  readonly durationMs: number;
  /** Header that has another value for each call. Default: none. */
  readonly nonceHeader?: string;
}

/** What a caller got: times from its request on. */
export interface Service {
  readonly calls: number;
  /** Of these, those that were not accepted, or had no callback within 15 s. */
  readonly lost: number;
  /** To the 202. */
  readonly acceptP50Ms: number;
  readonly acceptP99Ms: number;
  /** To the request to the function. */
  readonly callP50Ms: number;
  readonly callP99Ms: number;
  /** To the callback. */
  readonly callbackP50Ms: number;
  readonly callbackP99Ms: number;
}

/** The caller whose calls are measured, in a process of its own. */
export interface Neighbour extends AsyncDisposable {
  /** Of its function. */
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
