import { settingNames } from './setting-names.ts';

/** A variable that looks like a setting and is none. */
export interface Misspelt {
  readonly variable: string;
  /** The setting with the most similar name. */
  readonly nearest: string;
}

/**
 * Variables with these prefixes are assumed to be our settings. `OTEL_` is not included: other programs read it as
 * well.
 */
const prefixes: ReadonlySet<string> = new Set(['AUTH', 'CALLBACK', 'MAX', 'NATS', 'OPS', 'QUEUE', 'RETRY', 'STREAM']);

/** From this length on a name may differ from a setting in two letters, below in one: `API_PORT` is not `OPS_PORT`. */
const longName = 12;

/**
 * The variables of an environment that are not settings of any process, and are named much like one or begin like
 * several. Pure. What Kubernetes sets for a service that is called `nats` is not among them.
 * @param known names of all settings
 */
export function findMisspelt(
  env: Readonly<Record<string, string | undefined>>,
  known: readonly string[] = settingNames,
): Misspelt[] {
  const names = new Set(known);
  return Object.entries(env).flatMap(([variable, value]) => {
    if (names.has(variable) || !value || isServiceLink(variable, value)) {
      return [];
    }
    const nearest = findNearest(variable.toUpperCase(), known);
    return nearest === undefined ? [] : [{ variable, nearest }];
  });
}

/** https://kubernetes.io/docs/concepts/services-networking/service/#environment-variables */
function isServiceLink(name: string, value: string): boolean {
  return /_SERVICE_HOST$|_SERVICE_PORT(_|$)|_PORT_\d+_/.test(name) || /^(tcp|udp|sctp):\/\//.test(value);
}

function findNearest(name: string, known: readonly string[]): string | undefined {
  const [prefix = '', ...words] = name.split('_');
  const isOurs = prefixes.has(prefix) && words.length > 0;
  const couldBe = (setting: string): boolean =>
    (isOurs && setting.startsWith(`${prefix}_`)) || isNear(setting, Math.abs(setting.length - name.length));
  const [nearest] = known
    // Counting the edits of each variable of the environment to each setting takes a tenth of a start.
    .filter(couldBe)
    .map((setting) => ({ setting, edits: countEdits(name, setting), shared: countShared(words, setting) }))
    .filter(({ setting, edits }) => isNear(setting, edits) || (isOurs && setting.startsWith(`${prefix}_`)))
    .toSorted((a, b) => b.shared - a.shared || a.edits - b.edits);
  return nearest?.setting;
}

/** `CALLBACK_SECRETS` has fewer letters to change to `CALLBACK_PORTS`, and means `CALLBACK_SIGNING_SECRETS`. */
function countShared(words: readonly string[], setting: string): number {
  const others = new Set(setting.split('_'));
  return words.filter((word) => others.has(word)).length;
}

function isNear(setting: string, edits: number): boolean {
  return edits <= (setting.length < longName ? 1 : 2);
}

/** Letters to insert, delete, replace or swap with their neighbour (optimal string alignment). */
function countEdits(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const isSame = from[i - 1] === to[j - 1];
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      next[j] = Math.min(
        at(row, j) + 1,
        at(next, j - 1) + 1,
        at(row, j - 1) + (isSame ? 0 : 1),
        isSwap ? at(before, j - 2) + 1 : Number.POSITIVE_INFINITY,
      );
    }
    [before, row] = [row, next];
  }
  return at(row, to.length);
}

function at(row: readonly number[], index: number): number {
  return row[index] ?? Number.POSITIVE_INFINITY;
}
