import { isIP } from 'node:net';
import type { CallbackPolicy } from '@asyncfn/queue-core/callback-guard';
import { buildConnector } from 'undici';
import { CallbackRefusedError } from './callback-refused.ts';

/** All addresses of a host name, in the order in which to try them. */
export type ResolveAddresses = (host: string) => Promise<readonly string[]>;

export interface CheckedConnectorOptions {
  readonly policy: Pick<CallbackPolicy, 'objectToAddress'>;
  /** Deadline for connecting, in milliseconds; all addresses of a host share it. */
  readonly timeoutMs: number;
  readonly resolve: ResolveAddresses;
  /** PEM of the authorities that may sign receivers' certificates. Default: those of Node. */
  readonly ca?: string | undefined;
}

/** More addresses than this are not tried. */
const maxAddresses = 4;

type Connector = ReturnType<typeof buildConnector>;
type ConnectTarget = Parameters<Connector>[0];
type Socket = NonNullable<Parameters<Parameters<Connector>[1]>[1]>;

/**
 * Connects to receivers of callbacks, and to no other host. It resolves the name once for each connection and connects
 * to an address that it has checked, not to the name: no second answer of a resolver can come in between, and an
 * address in the URL is checked as well. TLS still checks the certificate by the name.
 */
export function createCheckedConnector(options: CheckedConnectorOptions): Connector {
  const { policy, timeoutMs, ca, resolve } = options;
  // One connector for each number of addresses, since it fixes how long each of them may take.
  const connectors = new Map<number, Connector>();
  const connectorFor = (addresses: number): Connector => {
    const timeout = Math.ceil(timeoutMs / addresses);
    const connector = connectors.get(addresses) ?? buildConnector({ timeout, ...(ca !== undefined && { ca }) });
    connectors.set(addresses, connector);
    return connector;
  };
  const connect = async (target: ConnectTarget): Promise<Socket> => {
    const { hostname } = target;
    const addresses = isIP(hostname) === 0 ? await resolve(hostname) : [hostname];
    const allowed = allowedAddresses(hostname, addresses, policy);
    const attempts = allowed.map((address) => ({ ...target, hostname: address }));
    return firstConnection(connectorFor(allowed.length), attempts);
  };
  return (target, callback) => {
    connect(target).then(
      (socket) => callback(null, socket),
      (error: unknown) => callback(error instanceof Error ? error : new Error(String(error)), null),
    );
  };
}

/** The addresses that may be connected to. @throws CallbackRefusedError if none may */
function allowedAddresses(
  host: string,
  addresses: readonly string[],
  policy: CheckedConnectorOptions['policy'],
): readonly string[] {
  const checked = addresses.map((address) => ({ address, objection: policy.objectToAddress(host, address) }));
  const allowed = checked.filter(({ objection }) => objection === undefined).map(({ address }) => address);
  const [first] = checked;
  if (allowed.length === 0) {
    throw first?.objection === undefined
      ? new Error('the host has no address')
      : new CallbackRefusedError(first.objection.detail);
  }
  return allowed.slice(0, maxAddresses);
}

async function firstConnection(connector: Connector, attempts: readonly ConnectTarget[]): Promise<Socket> {
  let failure: unknown;
  for (const attempt of attempts) {
    try {
      return await connectTo(connector, attempt);
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}

function connectTo(connect: Connector, target: ConnectTarget): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connect(target, (error, socket) => {
      // On a failure undici leaves the second argument out, whatever its types say.
      if (error === null) {
        resolve(socket);
      } else {
        reject(error);
      }
    });
  });
}
