import type { ServerResponse } from 'node:http';
import { type RecordedRequest, RecordingServer } from './recording-server.ts';

/** A function as `GET /system/functions` of an OpenFaaS lists it; the parts that matter to us. */
export interface OpenfaasFunction {
  readonly name: string;
  readonly namespace: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface OpenfaasOptions {
  /** Of HTTP basic, for `/system`. Default: none is asked for. */
  readonly credentials?: { readonly user: string; readonly password: string };
  /** `false`: like a gateway that knows no namespaces. Default true. */
  readonly hasNamespaces?: boolean;
}

/** Answers like the gateway of an OpenFaaS: lists functions, and is called for them at `/function/NAME.NAMESPACE`. */
export class Openfaas extends RecordingServer {
  /** The functions that there are; may be replaced at any time. */
  functions: readonly OpenfaasFunction[] = [];
  /** `true`: every request gets a 502, as from the proxy in front of a gateway that is down. */
  isDown = false;
  readonly #options: OpenfaasOptions;

  constructor(options: OpenfaasOptions) {
    super({ handler: (request, response) => this.#answer(request, response) });
    this.#options = options;
  }

  /** The requests to this function, in the order in which they came. */
  callsOf(name: string): readonly RecordedRequest[] {
    return this.requests.filter(({ url }) => url.split('?')[0] === `/function/${name}`);
  }

  #answer({ url, headers, method, body }: RecordedRequest, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(url, 'http://localhost');
    const { credentials, hasNamespaces = true } = this.#options;
    const expected = credentials && Buffer.from(`${credentials.user}:${credentials.password}`).toString('base64');
    if (this.isDown) {
      response.writeHead(502).end('bad gateway');
    } else if (pathname.startsWith('/function/') && method === 'POST') {
      response.end(body);
    } else if (expected !== undefined && headers.authorization !== `Basic ${expected}`) {
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="Restricted"' }).end('invalid credentials');
    } else if (pathname === '/system/namespaces' && hasNamespaces) {
      sendJson(response, [...new Set(['openfaas-fn', ...this.functions.map(({ namespace }) => namespace)])]);
    } else if (pathname === '/system/functions') {
      const asked = searchParams.get('namespace') ?? 'openfaas-fn';
      sendJson(response, this.functions.filter(({ namespace }) => namespace === asked).map(toListed));
    } else {
      response.writeHead(404).end('404 page not found');
    }
  }
}

/** Starts it on a free port. */
export async function startOpenfaas(options: OpenfaasOptions = {}): Promise<Openfaas> {
  const server = new Openfaas(options);
  await server.listen();
  return server;
}

function toListed({ name, namespace, annotations }: OpenfaasFunction) {
  return {
    name,
    image: `registry.test/${name}:latest`,
    namespace,
    invocationCount: 3,
    replicas: 1,
    availableReplicas: 1,
    annotations: annotations ?? null,
    labels: { faas_function: name },
    createdAt: '2030-01-31T00:00:00Z',
  };
}

function sendJson(response: ServerResponse, content: unknown): void {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(content));
}
