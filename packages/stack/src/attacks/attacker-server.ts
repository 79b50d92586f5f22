import { setTimeout as delay } from 'node:timers/promises';
import { type RequestHandler, startTestFunction } from '@asyncfn/testkit';

const mebibyte = 1024 * 1024;
const huge = Buffer.alloc(8 * mebibyte, 'x');
const slowMs = 200;

/** The attacker's functions and receivers, on all addresses of this machine. */
export interface AttackerServer extends AsyncDisposable {
  readonly port: number;
  /** Makes all hanging receivers answer. */
  release(): void;
}

/** `/slow` takes 200 ms, `/huge` answers 8 MiB, `/hang` never answers, and every other path answers at once. */
export async function startAttackerServer(): Promise<AttackerServer> {
  const hanging = new Set<() => void>();
  const handler: RequestHandler = async ({ url, signal }, response) => {
    if (url.startsWith('/hang')) {
      await new Promise<void>((resolve) => {
        hanging.add(resolve);
        signal.addEventListener('abort', () => hanging.delete(resolve));
      });
    } else if (url.startsWith('/slow')) {
      await delay(slowMs, undefined, { signal });
    }
    response.end(url.startsWith('/huge') ? huge : '');
  };
  const server = await startTestFunction({ host: '0.0.0.0', keepRequests: false, handler });
  return {
    port: server.port,
    release() {
      for (const resolve of hanging) {
        resolve();
      }
      hanging.clear();
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
}
