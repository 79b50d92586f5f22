import {
  type DocumentProblem,
  describeProblem,
  type Found,
  locateProblems,
  readYaml,
  shapeProblems,
} from '@asyncfn/checked-yaml';
import { parseInstant } from '@asyncfn/units';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/compile';
import { Format } from 'typebox/format';
import { scopes } from './caller.ts';
import { parseFunctionPattern } from './function-pattern.ts';
import { parseRate } from './rate.ts';
import { formatHash, parseHash, type Token } from './token.ts';

Format.Set('token-hash', (text) => parseHash(text) !== undefined);
Format.Set('function-pattern', (text) => parseFunctionPattern(text) !== undefined);
Format.Set('rate', (text) => parseRate(text) !== undefined);
Format.Set('instant', (text) => parseInstant(text) !== undefined);
Format.Set('file-path', isFilePath);

const closed = { additionalProperties: false };
const Hash = Type.String({ format: 'token-hash' });
const Scope = Type.Union([Type.Literal('invoke'), Type.Literal('read'), Type.Literal('admin')]);
const RateLimit = Type.Optional(Type.String({ format: 'rate' }));

const TokenSettings = Type.Object(
  {
    hash: Type.Union([Hash, Type.Array(Hash, { minItems: 1, maxItems: 5 })]),
    scopes: Type.Array(Scope, { minItems: 1, uniqueItems: true }),
    functions: Type.Optional(Type.Array(Type.String({ format: 'function-pattern' }), { minItems: 1 })),
    rateLimit: RateLimit,
    expires: Type.Optional(Type.String({ format: 'instant' })),
    callbackSecretFile: Type.Optional(Type.String({ format: 'file-path' })),
  },
  closed,
);

const TokensDocument = Type.Object(
  {
    tokens: Type.Record(Type.String(), TokenSettings, { minProperties: 1 }),
    defaults: Type.Optional(Type.Object({ rateLimit: RateLimit }, closed)),
  },
  closed,
);

type TokenSettings = Static<typeof TokenSettings>;
type TokensDocument = Static<typeof TokensDocument>;

const format = Compile(TokensDocument);

/** The name of a token: in logs, as a user of HTTP basic, and as the submitter of a call. */
const tokenName = /^[A-Za-z0-9._-]{1,63}$/;

const expectations: ReadonlyMap<string, string> = new Map([
  ['tokens', 'must be a map with at least one token'],
  ['hash', 'must be sha256: and 64 hexadecimal digits, as `asyncfn token create` prints it, or a list of up to 5'],
  ['scopes', `must be one or more of ${scopes.join(', ')}, as a list`],
  ['functions', 'must be a list of names such as thumbnail, with at most one * in name and namespace: pdf-*, *.team-a'],
  ['rateLimit', 'must be requests and a time of at most a day, for example 100/1s'],
  ['callbackSecretFile', 'must be the path of a file; a relative one starts at the folder of this file'],
  ['expires', 'must be a date and time with its zone, for example 2030-01-31T00:00:00Z'],
]);

export type ParsedTokens =
  | { readonly kind: 'tokens'; readonly tokens: readonly Token[] }
  | { readonly kind: 'refused'; readonly problems: readonly DocumentProblem[] };

export type ParsedTokensFile =
  | { readonly kind: 'settings'; readonly settings: readonly Token[] }
  | { readonly kind: 'refused'; readonly problems: readonly string[] };

export interface TokensContext {
  /**
   * The problem of a file that `callbackSecretFile` names. Default: none, for readers of the paths only.
   * @param file the path as it was written
   */
  readonly secretProblem?: (file: string) => string | undefined;
}

/** Parses the text of a tokens file (YAML, so JSON too). Reports every problem at once, none of them with a value. */
export function parseTokens(text: string, { secretProblem }: TokensContext = {}): ParsedTokens {
  const yaml = readYaml(text);
  if (yaml.kind === 'faults') {
    return { kind: 'refused', problems: yaml.faults.map((fault) => ({ ...fault, path: '' })) };
  }
  const { value } = yaml;
  const ofContent = format.Check(value) ? contentProblems(value) : shapeProblems(format.Errors(value), expectationOf);
  const ofSecrets = secretProblem === undefined ? [] : secretProblems(value, secretProblem);
  const problems = [...nameProblems(value), ...ofContent, ...ofSecrets];
  if (format.Check(value) && problems.length === 0) {
    return { kind: 'tokens', tokens: Object.entries(value.tokens).map((entry) => toToken(entry, value.defaults)) };
  }
  return { kind: 'refused', problems: locateProblems(problems, yaml) };
}

/** The same for the file at `path`, with problems as `file:line: problem`. */
export function parseTokensFile(text: string, path: string, context?: TokensContext): ParsedTokensFile {
  const parsed = parseTokens(text, context);
  return parsed.kind === 'tokens'
    ? { kind: 'settings', settings: parsed.tokens }
    : { kind: 'refused', problems: parsed.problems.map((problem) => describeProblem(path, problem)) };
}

/** The name of a token is never an unknown setting. */
function expectationOf(keys: readonly string[]): string | undefined {
  if (keys.length === 1) {
    return expectations.get(keys[0] ?? '');
  }
  return expectations.get(keys.slice(keys[0] === 'tokens' ? 2 : 1).findLast((key) => expectations.has(key)) ?? '');
}

/** The files that the tokens of a text name, each once, even if the text is wrong elsewhere. */
export function secretFilesOf(text: string): readonly string[] {
  const yaml = readYaml(text);
  return yaml.kind === 'faults' ? [] : [...new Set(secretFiles(yaml.value).map(({ file }) => file))];
}

/** Even in a document whose shape is wrong elsewhere. */
function nameProblems(value: unknown): Found[] {
  return entriesOf(value)
    .filter(([name]) => !tokenName.test(name))
    .map(([name]) => ({ keys: ['tokens', name], problem: 'is no name: 1 to 63 letters, digits, dots, _ and -' }));
}

function secretProblems(value: unknown, problemOf: (file: string) => string | undefined): Found[] {
  return secretFiles(value).flatMap(({ name, file }) => {
    const problem = problemOf(file);
    return problem === undefined ? [] : [{ keys: ['tokens', name, 'callbackSecretFile'], problem }];
  });
}

function secretFiles(value: unknown): { name: string; file: string }[] {
  return entriesOf(value).flatMap(([name, settings]) => {
    const file = propertyOf(settings, 'callbackSecretFile');
    return typeof file === 'string' && isFilePath(file) ? [{ name, file }] : [];
  });
}

function entriesOf(value: unknown): [name: string, settings: unknown][] {
  const tokens = propertyOf(value, 'tokens');
  return typeof tokens === 'object' && tokens !== null ? Object.entries(tokens) : [];
}

function propertyOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

function isFilePath(text: string): boolean {
  return text !== '' && !text.includes('\0');
}

function contentProblems({ tokens }: TokensDocument): Found[] {
  const owners = new Map<string, string>();
  return Object.entries(tokens).flatMap(([name, settings]) => {
    const found: Found[] = [];
    if (settings.functions !== undefined && settings.scopes.includes('admin')) {
      found.push({
        keys: ['tokens', name, 'functions'],
        problem: 'does not go with admin, which is for all functions',
      });
    }
    for (const hash of hashesOf(settings).map(formatHash)) {
      const owner = owners.get(hash);
      if (owner !== undefined) {
        found.push({ keys: ['tokens', name, 'hash'], problem: `stands at tokens.${owner} already` });
      }
      owners.set(hash, name);
    }
    return found;
  });
}

function toToken([name, settings]: [string, TokenSettings], defaults: TokensDocument['defaults']): Token {
  const { functions, expires, callbackSecretFile } = settings;
  const patterns = functions?.flatMap((text) => parseFunctionPattern(text) ?? []);
  return {
    name,
    hashes: hashesOf(settings),
    scopes: new Set(settings.scopes),
    covers: (functionName) => patterns?.some((pattern) => pattern.test(functionName)) ?? true,
    rate: parseRate(settings.rateLimit ?? defaults?.rateLimit ?? ''),
    expiresAt: expires === undefined ? undefined : parseInstant(expires),
    callbackSecretFile,
  };
}

function hashesOf({ hash }: TokenSettings): Buffer[] {
  return [hash].flat().flatMap((text) => parseHash(text) ?? []);
}
