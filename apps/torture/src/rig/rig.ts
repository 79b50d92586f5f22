import type { FleetOptions } from '@asyncfn/stack';
import { formatRate, type Rate } from '@asyncfn/units';
import { flowSettingsOf } from '../flows.ts';
import { pausedFunction, queues } from '../plan.ts';
import { clockModule, clockSetting } from './clock.ts';
import { endsKeptMs, shortMemoryModule } from './short-memory.ts';

export interface RigOptions {
  readonly nodes: number;
  readonly natsServerBin?: string;
  readonly functionUrl: string;
  /** Of the gateways. */
  readonly tokensFile: string;
  /** Default: the name servers of the machine. */
  readonly dnsServers?: string;
  /** How many times sooner than shipped processes these forget ends. Default: 1. */
  readonly haste?: number | undefined;
  /** How long the load lasts, in milliseconds: no callback is given up before its end. */
  readonly durationMs: number;
  /** Retry settings of the functions, as in a functions file. Default: quick. */
  readonly retry?: Readonly<Record<string, unknown>>;
  /** The rate of the function that is paused from time to time. Default: none. */
  readonly pace?: Rate | undefined;
  /** Share of the sends that are calls of a flow key. If it is 0, no function limits its keys either. Default 0.04. */
  readonly flowShare?: number;
  /** How far the clock of each process is off: the path of a file, with `{seat}` in it. Default: clocks do not jump. */
  readonly clockFile?: string;
  /** Receives each line that a process or a nats-server logs, except the lines that every call causes. */
  readonly onLine?: (line: string, seat: string) => void;
  /** JetStream's folders, by the number of the server. */
  readonly storeDirs?: readonly (string | undefined)[];
  /** Settings, and modules that replace the apps' own main modules. */
  readonly fleet?: Pick<FleetOptions, 'mains' | 'workerEnv' | 'gatewayEnv'>;
}

const quickRetry = { attempts: 5, minWait: '100ms', maxWait: '1s', backoff: 'full' };
const secret = `whsec_${Buffer.alloc(24, 1).toString('base64')}`;
/** Header with the name of the worker that makes a request. */
export const workerHeader = 'x-torture-worker';
/** Loaded into workers before their own code. Without it, a function could not tell which worker invokes it. */
const taggingModule = toModule(
  "import { subscribe } from 'node:diagnostics_channel';" +
    `subscribe('undici:request:create', ({ request }) => request.addHeader('${workerHeader}', '{seat}'));`,
);

/** Turns the source into a URL; `{seat}` stays as it is. */
function toModule(source: string): string {
  return `data:text/javascript,${source.split('{seat}').map(encodeURIComponent).join('{seat}')}`;
}

/** Modules that node loads before the code of a process. */
function toOptions(modules: readonly string[]): string {
  return modules.map((module) => `--import=${module}`).join(' ');
}

/** Lines that every call causes: a long run logs too many of them. */
const perCall = /"msg":"(call accepted|function invoked|callback (delivered|sent)|call failed)/;

/** A rate that holds back the waiting calls after a pause, and not the calls of a load of so many a second. */
export function paceFor(rate: number): Rate {
  return { count: Math.max(20, Math.ceil(rate / 2)), periodMs: 2_000 };
}

/** Two gateways and two workers, with three functions in two queues. */
export function fleetOptions(options: RigOptions): FleetOptions {
  const { nodes, natsServerBin, storeDirs = [], clockFile, onLine = () => {}, haste, fleet } = options;
  const modules = [
    ...(clockFile === undefined ? [] : [toModule(clockModule)]),
    ...(haste === undefined ? [] : [toModule(shortMemoryModule(haste))]),
  ];
  return {
    ...(natsServerBin !== undefined && { natsServerBin }),
    ...fleet,
    nodes,
    storeDirs,
    env: { ...(clockFile !== undefined && { [clockSetting]: clockFile }), NODE_OPTIONS: toOptions(modules) },
    functions: toFunctions(options),
    gatewayEnv: {
      AUTH_TOKENS_FILE: options.tokensFile,
      // A tenth of the bodies of calls, by `plan.ts`, and of the responses to them.
      OFFLOAD_BYTES: '1800B',
      ...(haste !== undefined && { RESULT_TTL: `${endsKeptMs(haste)}ms` }),
      ...fleet?.gatewayEnv,
    },
    workerEnv: {
      ACK_WAIT: '5s',
      BODY_SWEEP_AFTER: '5s',
      OFFLOAD_BYTES: '1800B',
      SHUTDOWN_TIMEOUT: '1s',
      CALLBACK_TIMEOUT: '3s',
      CALLBACK_RETRY_SCHEDULE: toSchedule(options.durationMs),
      CALLBACK_SIGNING_SECRETS: secret,
      ...(options.dnsServers !== undefined && { CALLBACK_DNS_SERVERS: options.dnsServers }),
      NODE_OPTIONS: toOptions([taggingModule, ...modules]),
      ...fleet?.workerEnv,
    },
    keepLine(line, seat) {
      const isKept = !perCall.test(line);
      if (isKept) {
        onLine(line, seat);
      }
      return isKept;
    },
    onServerLine: onLine,
  };
}

function toFunctions({ functionUrl: url, retry = quickRetry, pace, flowShare }: RigOptions): FleetOptions['functions'] {
  return Object.fromEntries(
    Object.entries(queues).map(([name, queue]) => {
      const flow = flowShare === 0 ? undefined : flowSettingsOf(name);
      const settings = {
        url,
        retry,
        queue,
        ...(queue === 'bulk' && { concurrency: 60 }),
        ...(flow && { flow }),
        ...(name === pausedFunction && pace !== undefined && { rate: formatRate(pace) }),
      };
      return [name, settings];
    }),
  );
}

/** Every second at first, and then often enough for receivers that hang for as long as the load lasts. */
function toSchedule(durationMs: number): string {
  const waits = [...Array.from({ length: 20 }, () => 1), ...Array.from({ length: 20 + durationMs / 10_000 }, () => 10)];
  return waits.map((seconds) => `${seconds}s`).join(',');
}
