/** Settings of a function as the API takes them. */
export type Settings = Readonly<Record<string, unknown>>;

export type FieldName =
  | 'url'
  | 'queue'
  | 'timeout'
  | 'concurrency'
  | 'rate'
  | 'attempts'
  | 'minWait'
  | 'maxWait'
  | 'backoff';

interface Field {
  readonly name: FieldName;
  readonly title: string;
  readonly help: string;
  /** What can be chosen; undefined for text. */
  readonly options?: readonly string[];
}

/** What the form has of the settings. */
export const fields: readonly Field[] = [
  { name: 'url', title: 'URL', help: 'Sub-path and query of a call are appended.' },
  { name: 'queue', title: 'Queue', help: 'Without it: default.' },
  { name: 'timeout', title: 'Timeout', help: 'Of one attempt, such as 15m. Without it: none.' },
  { name: 'concurrency', title: 'Concurrency', help: 'Most calls at once, over all workers. Without it: no cap.' },
  {
    name: 'rate',
    title: 'Rate',
    help: 'Most attempts in any second or other period, such as 20/1s. Without it: no limit.',
  },
  { name: 'attempts', title: 'Retries', help: 'After the first attempt.' },
  { name: 'backoff', title: 'Back-off', help: 'How the waits vary.', options: ['exponential', 'full', 'equal'] },
  { name: 'minWait', title: 'Shortest wait', help: 'Before the first retry, such as 10s.' },
  { name: 'maxWait', title: 'Longest wait', help: 'Before a retry, such as 2m.' },
];

export type Texts = Readonly<Record<FieldName, string>>;

const ofRetry: ReadonlySet<FieldName> = new Set<FieldName>(['attempts', 'minWait', 'maxWait', 'backoff']);
const numbers: ReadonlySet<FieldName> = new Set<FieldName>(['concurrency', 'attempts']);

export function toTexts(settings: Settings): Texts {
  const retry = retryOf(settings);
  const entries = fields.map(({ name }) => [name, toText((ofRetry.has(name) ? retry : settings)[name])]);
  return Object.fromEntries(entries) as Texts;
}

/** The settings with what the form says in their place; an empty field is a setting that is not there. */
export function toSettings(texts: Texts, before: Settings): Settings {
  const retry = withTexts(retryOf(before), texts, (name) => ofRetry.has(name));
  const { retry: _, ...rest } = withTexts(before, texts, (name) => !ofRetry.has(name));
  return Object.keys(retry).length === 0 ? rest : { ...rest, retry };
}

function withTexts(settings: Settings, texts: Texts, isOne: (name: FieldName) => boolean): Settings {
  const own = fields.filter(({ name }) => isOne(name));
  const names = new Set<string>(own.map(({ name }) => name));
  const kept = Object.entries(settings).filter(([name]) => !names.has(name));
  const written = own
    .filter(({ name }) => texts[name].trim() !== '')
    .map(({ name }) => [name, toValue(name, texts[name].trim())] as const);
  return Object.fromEntries([...kept, ...written]);
}

/** What is no number goes to the gateway as it is, which says what is wrong with it. */
function toValue(name: FieldName, text: string): string | number {
  return numbers.has(name) && /^\d+$/.test(text) ? Number(text) : text;
}

function toText(value: unknown): string {
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function retryOf({ retry }: Settings): Settings {
  return typeof retry === 'object' && retry !== null ? (retry as Settings) : {};
}
