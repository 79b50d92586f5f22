import { parseDuration, parseRate, type Rate } from '@asyncfn/units';
import type { FunctionSettings, Settings } from './functions-schema.ts';
import { toWebhookConfig, type WebhookConfig } from './webhook/index.ts';

/** Retry settings of one function; undefined ones come from the worker's `RETRY_*` defaults. */
export interface RetrySettings {
  /** Retries after the first try. */
  readonly attempts: number | undefined;
  readonly minWaitMs: number | undefined;
  readonly maxWaitMs: number | undefined;
  /** `exponential`: no jitter; `full`: 0 to 100 %; `equal`: 50 to 100 %. */
  readonly backoff: 'exponential' | 'full' | 'equal' | undefined;
  /** Statuses that are retried. */
  readonly codes: readonly number[] | undefined;
}

/** The settings of a function for its flow keys. They outrank what callers name. */
interface FlowSettings {
  /** Most calls of one key at once; undefined is what the latest caller has named, or 1. */
  readonly parallelism: number | undefined;
  /** Most calls of one key in any window of a length; undefined is what the latest caller has named, or no limit. */
  readonly rate?: Rate | undefined;
}

/** One function as the processes use it. */
export interface FunctionConfig {
  /** `NAME` or `NAME.NAMESPACE`. */
  readonly name: string;
  /** Its URL; a call's sub-path and query are appended. */
  readonly url: string;
  /** The queue, and so the stream, that its calls wait in. */
  readonly queue: string;
  /** Deadline of one attempt; 0 is none. */
  readonly timeoutMs: number;
  /** Most calls in flight at once over all workers; undefined is no cap. */
  readonly concurrency: number | undefined;
  /** Most attempts in any window of a length, over all workers; undefined is no limit. */
  readonly rate?: Rate | undefined;
  /** Most calls that may wait; a gateway accepts no more. Undefined is no limit. */
  readonly maxPending: number | undefined;
  /** What holds for the calls of each flow key of the function. */
  readonly flow?: FlowSettings | undefined;
  /** Whether each worker learns by itself how many calls at once the function takes. */
  readonly adaptive: boolean;
  /** `X-Callback-Url` of calls that name none. */
  readonly callbackUrl?: string | undefined;
  /** `X-Failure-Callback-Url` of calls that name none. */
  readonly failureCallbackUrl?: string | undefined;
  /** `X-Then` of calls that name none. */
  readonly steps?: readonly string[] | undefined;
  /** Undefined for a function that no webhooks are sent to. */
  readonly webhook?: WebhookConfig | undefined;
  readonly retry: RetrySettings;
}

/** The queue of a function that names none. */
export const defaultQueue = 'default';

/** Most functions that may be registered in one queue: each has a consumer, and what a stream can have is bounded. */
export const maxRegistered = 10_000;

/** The settings of `over`, and those of `base` that it omits; retry settings one by one. */
export function mergeSettings(base: Settings, over: Settings): Settings {
  const flow = base.flow && over.flow && { ...base.flow, ...over.flow };
  return { ...base, ...over, retry: { ...base.retry, ...over.retry }, ...(flow && { flow }) };
}

/** Complete settings, with defaults filled in and units converted. Expects values that match the schema. */
export function toFunctionConfig(name: string, settings: Settings & Pick<FunctionSettings, 'webhook'>): FunctionConfig {
  const { url = '', queue = defaultQueue, timeout, concurrency, maxPending, adaptive = true, retry = {} } = settings;
  const { rate, callbackUrl, failureCallbackUrl, then: steps } = settings;
  return {
    name,
    url: url.replaceAll('{name}', name),
    queue,
    timeoutMs: toMs(timeout) ?? 0,
    concurrency,
    rate: rate === undefined ? undefined : parseRate(rate),
    maxPending,
    flow: settings.flow && toFlowSettings(settings.flow),
    adaptive,
    callbackUrl,
    failureCallbackUrl,
    steps,
    webhook: toWebhookConfig(settings.webhook),
    retry: {
      attempts: retry.attempts,
      minWaitMs: toMs(retry.minWait),
      maxWaitMs: toMs(retry.maxWait),
      backoff: retry.backoff,
      codes: retry.codes,
    },
  };
}

function toMs(duration: string | number | undefined): number | undefined {
  return duration === undefined ? undefined : parseDuration(String(duration));
}

function toFlowSettings({ parallelism, rate }: NonNullable<Settings['flow']>): FlowSettings {
  return { parallelism, ...(rate !== undefined && { rate: parseRate(rate) }) };
}
