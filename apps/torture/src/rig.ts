import type { FleetOptions } from '@asyncfn/stack';
import { clockModule, clockSetting } from './faults/clock.ts';

export interface RigOptions {
  readonly nodes: number;
  readonly natsServerBin?: string;
  readonly functionUrl: string;
  /** Of the functions, as a functions file has it. Default: quick. */
  readonly retry?: Readonly<Record<string, unknown>>;
  /** What the clock of each process is off by: the path of a file, with `{seat}` in it. Default: clocks do not jump. */
  readonly clockFile?: string;
  /** Told of each line that a process logs, but of those that come for every call. */
  readonly onLine?: (line: string, seat: string) => void;
  /** JetStream's folders, by the number of the server. */
  readonly storeDirs?: readonly (string | undefined)[];
  /** Settings, and modules to run in the place of the apps' own. */
  readonly fleet?: Pick<FleetOptions, 'mains' | 'workerEnv' | 'gatewayEnv'>;
}

const quickRetry = { attempts: 5, minWait: '100ms', maxWait: '1s', backoff: 'full' };
const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
/** Header with the name of the worker that makes a request. */
export const workerHeader = 'x-torture-worker';
/** Loaded into workers before their own code: without it nobody could tell which one has made an invocation. */
const taggingModule = toModule(
  "import { subscribe } from 'node:diagnostics_channel';" +
    `subscribe('undici:request:create', ({ request }) => request.addHeader('${workerHeader}', '{seat}'));`,
);

/** As a URL; `{seat}` stays as it is. */
function toModule(source: string): string {
  return `data:text/javascript,${source.split('{seat}').map(encodeURIComponent).join('{seat}')}`;
}

/** Modules that node loads before a process's own code. */
function toOptions(modules: readonly string[]): string {
  return modules.map((module) => `--import=${module}`).join(' ');
}

/** Lines that come for every call: a long run has too many of them. */
const perCall = /"msg":"(call accepted|function invoked|callback (delivered|sent)|call failed)/;

/** Two gateways and two workers, with two functions in queues of their own. */
export function fleetOptions({
  nodes,
  natsServerBin,
  functionUrl,
  retry = quickRetry,
  storeDirs = [],
  clockFile,
  onLine = () => {},
  fleet,
}: RigOptions): FleetOptions {
  const clock = clockFile === undefined ? [] : [toModule(clockModule)];
  return {
    ...(natsServerBin !== undefined && { natsServerBin }),
    ...fleet,
    nodes,
    storeDirs,
    env: { ...(clockFile !== undefined && { [clockSetting]: clockFile }), NODE_OPTIONS: toOptions(clock) },
    functions: {
      quick: { url: functionUrl, retry },
      bulk: { url: functionUrl, retry, queue: 'bulk', concurrency: 60 },
    },
    workerEnv: {
      ACK_WAIT: '5s',
      SHUTDOWN_TIMEOUT: '1s',
      CALLBACK_RETRY_SCHEDULE: Array.from({ length: 60 }, () => '1s').join(','),
      CALLBACK_SIGNING_SECRETS: secret,
      NODE_OPTIONS: toOptions([taggingModule, ...clock]),
      ...fleet?.workerEnv,
    },
    keepLine(line, seat) {
      const isKept = !perCall.test(line);
      if (isKept) {
        onLine(line, seat);
      }
      return isKept;
    },
  };
}
