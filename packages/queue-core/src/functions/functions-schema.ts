import { parseDuration, parseRate, parseSize, parseUrl } from '@asyncfn/units';
import { type Static, Type } from 'typebox';
import { Format } from 'typebox/format';
import { maxParallelism } from '../call/index.ts';
import { type DiscoverContent, DiscoverSettings } from './discovery/index.ts';
import { WebhookSettings } from './webhook/index.ts';

Format.Set('duration', (text) => parseDuration(text) !== undefined);
Format.Set('stored-url', isHttpUrl);
Format.Set('rate', (text) => parseRate(text) !== undefined);
Format.Set('size', (text) => parseSize(text) !== undefined);

const Duration = Type.Union([Type.String({ format: 'duration' }), Type.Literal(0)]);
/** `urlProblem` checks it and says what is wrong. */
const Url = Type.String();
/** URLs that an earlier version accepted still work: see `urlProblem` for what is accepted now. */
const StoredUrl = Type.String({ format: 'stored-url' });
const Name = Type.String({ pattern: '^[A-Za-z0-9_-]{1,63}$' });
const closed = { additionalProperties: false };

const retry = {
  attempts: Type.Optional(Type.Integer({ minimum: 0, maximum: 1000 })),
  minWait: Type.Optional(Duration),
  maxWait: Type.Optional(Duration),
  backoff: Type.Optional(Type.Union([Type.Literal('exponential'), Type.Literal('full'), Type.Literal('equal')])),
  codes: Type.Optional(Type.Array(Type.Integer({ minimum: 100, maximum: 599 }), { uniqueItems: true })),
};

const flow = {
  parallelism: Type.Optional(Type.Integer({ minimum: 1, maximum: maxParallelism })),
  rate: Type.Optional(Type.String({ format: 'rate' })),
};

const tuning = {
  queue: Type.Optional(Name),
  timeout: Type.Optional(Duration),
  concurrency: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000 })),
  rate: Type.Optional(Type.String({ format: 'rate' })),
  maxPending: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000_000_000 })),
  flow: Type.Optional(Type.Object(flow, closed)),
  adaptive: Type.Optional(Type.Boolean()),
  /** `followUpProblems` checks them and says what is wrong. */
  callbackUrl: Type.Optional(Type.String()),
  failureCallbackUrl: Type.Optional(Type.String()),
  then: Type.Optional(Type.Array(Type.String())),
  retry: Type.Optional(Type.Object(retry, closed)),
};

/** The settings that only a single function can have. */
const single = { webhook: Type.Optional(WebhookSettings) };

/** The settings that a function can have. */
export const settingNames: ReadonlySet<string> = new Set(['url', ...Object.keys(tuning), ...Object.keys(single)]);

/** Which of them mean something, and what: see `readAnnotations`. */
const annotations = Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]));

/** The settings of one function, as written in a file or a request. */
const FunctionEntry = Type.Object({ url: Type.Optional(Url), ...tuning, ...single, annotations }, closed);

/**
 * A function's settings as the register keeps them: complete, and open to settings of later versions, so that versions
 * can run side by side.
 */
export const StoredSettings = Type.Object({
  url: StoredUrl,
  ...tuning,
  retry: Type.Optional(Type.Object(retry)),
  flow: Type.Optional(Type.Object(flow)),
  /** See `toWebhookConfig`. */
  webhook: Type.Optional(Type.Unknown()),
  defaultNamespace: Type.Optional(Name),
  discovered: Type.Optional(Type.Object({ absent: Type.Optional(Type.Boolean()) })),
});

/** Defaults for every function; with a `url`, every valid name is a function. */
const DefaultSettings = Type.Object({ url: Type.Optional(Url), ...tuning }, closed);

/** A function of OpenFaaS; its image and container settings are ignored. */
const StackFunction = Type.Object({
  namespace: Type.Optional(Type.Union([Name, Type.Literal(''), Type.Null()])),
  annotations,
  url: Type.Optional(Url),
  ...tuning,
  ...single,
});

/** The settings of one queue. */
const QueueSettings = Type.Object({ maxBytes: Type.Optional(Type.String({ format: 'size' })) }, closed);
const queues = Type.Optional(Type.Union([Type.Record(Type.String(), QueueSettings), Type.Null()]));

/** Names that stand for several functions. `groupProblems` checks them and says what is wrong. */
const groups = Type.Optional(Type.Union([Type.Record(Type.String(), Type.Array(Type.String())), Type.Null()]));

const discover = Type.Optional(DiscoverSettings);
/** Calls that come by themselves. `scheduleSectionProblems` checks them and says what is wrong. */
const schedules = Type.Optional(Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()]));

/** The functions file. */
export const FunctionsDocument = Type.Object(
  {
    functions: Type.Optional(Type.Union([Type.Record(Type.String(), FunctionEntry), Type.Null()])),
    defaults: Type.Optional(DefaultSettings),
    queues,
    groups,
    discover,
    schedules,
  },
  closed,
);

/**
 * OpenFaaS's `stack.yaml`, which may also have our `defaults`, `queues`, `groups`, `discover` and `schedules`.
 * @see https://docs.openfaas.com/reference/yaml/
 */
export const StackDocument = Type.Object({
  provider: Type.Object({ name: Type.Literal('openfaas'), gateway: Type.Optional(Type.Union([Url, Type.Null()])) }),
  functions: Type.Optional(Type.Union([Type.Record(Type.String(), StackFunction), Type.Null()])),
  defaults: Type.Optional(DefaultSettings),
  queues,
  groups,
  discover,
  schedules,
});

/** Settings as they are written. */
export type Settings = Static<typeof DefaultSettings>;

/** The settings of one function, as written in a file or a request. */
export type OwnSettings = Settings & { readonly webhook?: WebhookSettings; readonly annotations?: Annotations };

/** The settings of one function, completed by `defaults` and annotations. */
export type FunctionSettings = Settings & {
  readonly url: string;
  /** See `toWebhookConfig`. */
  readonly webhook?: unknown;
  /**
   * With this namespace its name is the same function, for every process that knows it. Not for users to set: see
   * `toOneName`.
   */
  readonly defaultNamespace?: string;
  /**
   * Set for a function that was found at an OpenFaaS; `absent` while that does not have it any more. Not for users to set:
   * see `isPaused`.
   */
  readonly discovered?: { readonly absent?: boolean };
};

/** The parts that both kinds of document share. */
export interface FunctionsContent {
  readonly provider?: { readonly gateway?: string | null };
  readonly functions?: Readonly<Record<string, OwnSettings>> | null;
  readonly defaults?: Settings;
  readonly queues?: Readonly<Record<string, Static<typeof QueueSettings>>> | null;
  readonly groups?: Readonly<Record<string, readonly string[]>> | null;
  readonly discover?: DiscoverContent;
  readonly schedules?: Readonly<Record<string, unknown>> | null;
}

export type Annotations = Readonly<Record<string, unknown>> | null;

function isHttpUrl(text: string): boolean {
  const sample = text.replaceAll('{name}', 'name');
  const protocol = parseUrl(sample)?.protocol;
  return !/[?#]/.test(sample) && (protocol === 'http:' || protocol === 'https:');
}
