import { connect, type Socket } from 'node:net';
import { ApiClient, CallClient, type Stack, type StackOptions } from '@asyncfn/stack';
import {
  eventually,
  type RequestHandler,
  sleep,
  startCallbackReceiver,
  startTestFunction,
  status,
} from '@asyncfn/testkit';

/** A stack with incoming calls of every kind, so that every metric has values. */
export interface BusyStack extends AsyncDisposable {
  readonly stack: Stack;
}

const everyMs = 100;
const maxConnections = 60;

const batch = {
  method: 'POST',
  headers: { 'Content-Type': 'application/json' },
  body: JSON.stringify({ calls: [{ function: 'quick' }, { function: 'quick', body: 'x' }] }),
};

/** Five at once, and 429 for the others: the limiter learns from these. */
function overloaded(): RequestHandler {
  let atOnce = 0;
  return async (request, response) => {
    atOnce += 1;
    try {
      await (atOnce > 5 ? status(429)(request, response) : sleep(200)(request, response));
    } finally {
      atOnce -= 1;
    }
  };
}

/**
 * Successes, failures, retries, chains, batches, overload, delays, waits, a backlog, a rate, a flow key, callbacks that fail, refusals,
 * connections beyond the limit, a schedule.
 */
export async function startBusyStack(
  start: (options: StackOptions) => Promise<Stack>,
  options: Partial<StackOptions> = {},
): Promise<BusyStack> {
  const parts: AsyncDisposable[] = [];
  const own = async <T extends AsyncDisposable>(starting: Promise<T>): Promise<T> => {
    const part = await starting;
    parts.unshift(part);
    return part;
  };
  const quick = await own(startTestFunction());
  const broken = await own(startTestFunction({ handler: status(500) }));
  const slow = await own(startTestFunction({ handler: sleep(500) }));
  const full = await own(startTestFunction({ handler: overloaded() }));
  const receiver = await own(startCallbackReceiver());
  const refusing = await own(startCallbackReceiver({ respond: status(503) }));
  const retry = { attempts: 1, minWait: '1s', maxWait: '1s', backoff: 'exponential' };
  const stack = await own(
    start({
      ...options,
      functions: {
        quick: quick.url,
        broken: { url: broken.url, retry },
        slow: { url: slow.url, concurrency: 1, queue: 'slow' },
        full: { url: full.url, retry: { ...retry, attempts: 20 } },
        // Half of what comes.
        paced: { url: quick.url, rate: '5/1s' },
      },
      gatewayEnv: { MAX_CONNECTIONS: String(maxConnections), ...options.gatewayEnv },
    }),
  );
  const client = await own(Promise.resolve(new ApiClient(stack.gateway.url, 20)));
  await own(waitForOne(client, stack));
  const schedule = JSON.stringify({ function: 'quick', every: '1s' });
  await fetch(`${stack.gateway.url}/system/schedules/tick`, { method: 'PUT', body: schedule });
  const send = (): Promise<unknown> =>
    Promise.allSettled([
      client.call('quick', { callbackUrl: receiver.url }),
      client.call('quick', { callbackUrl: refusing.url }),
      client.call('quick', { headers: { 'Idempotency-Key': 'once' } }),
      client.call('broken'),
      client.call('quick', { headers: { 'X-Then': 'quick' } }),
      client.call('slow'),
      client.call('paced'),
      client.call('slow', { headers: { 'X-Flow-Key': 'one' } }),
      fetch(`${stack.gateway.url}/async-batch`, batch),
      client.call('unknown'),
      ...Array.from({ length: 3 }, () => client.call('full')),
    ]);
  const timer = setInterval(() => void send(), everyMs);
  const sockets = holdConnections(Number(new URL(stack.gateway.url).port));
  return {
    stack,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      for (const socket of sockets) {
        socket.destroy();
      }
      for (const part of parts) {
        await part[Symbol.asyncDispose]();
      }
    },
  };
}

/** Follows a call that has not ended yet. */
async function waitForOne(client: ApiClient, stack: Stack): Promise<AsyncDisposable> {
  const callId = await client.accept('slow', { headers: { 'X-Delay': '1h' } });
  await (await fetch(`${stack.gateway.url}/system/calls?limit=1`)).text();
  const waiting = new CallClient(stack.gateway.url, 1);
  // It ends with its client.
  waiting.ask(callId, '?wait=5m').catch(() => undefined);
  await eventually(async () => (await stack.gateway.metric('gateway_waiters')) > 0);
  return waiting;
}

/** Ten in the middle of a body, and for a moment more than the limit. */
function holdConnections(port: number): Socket[] {
  const partOf = 'POST /async-function/quick HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\npart';
  const open = (text: string): Socket => {
    const socket = connect({ host: '127.0.0.1', port });
    // Connections beyond the limit are closed at once.
    socket.on('error', () => undefined);
    socket.write(text);
    return socket;
  };
  const held = Array.from({ length: 10 }, () => open(partOf));
  const flood = Array.from({ length: maxConnections }, () => open(''));
  setTimeout(() => {
    for (const socket of flood) {
      socket.destroy();
    }
  }, 500).unref();
  return [...held, ...flood];
}
