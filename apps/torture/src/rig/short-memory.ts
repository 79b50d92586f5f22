/** A constant in a module of an app or a package: how long it remembers something, or how often it does something. */
interface Remembered {
  readonly of: 'worker' | 'queue-core';
  /** Name of the module, in any folder. */
  readonly module: string;
  readonly constant: string;
  /** The shipped value, in milliseconds. */
  readonly ms: number;
  /** The value in a run that keeps ends for this time, in milliseconds. Default: in proportion. */
  readonly inRun?: (keptMs: number) => number;
}

/** How long an end stays on record, however short `RESULT_TTL` is, in milliseconds. */
const endsMs = 10 * 60_000;

/** Exported for the test that all of these constants exist. */
export const remembered: readonly Remembered[] = [
  { of: 'queue-core', module: 'end-memory', constant: 'minMs', ms: endsMs },
  // Less than the time for which processes are paused.
  { of: 'queue-core', module: 'end-memory', constant: 'freshMs', ms: 5 * 60_000, inRun: (keptMs) => keptMs / 12 },
  // A round that finds little costs as many requests as one that finds more.
  { of: 'worker', module: 'maintenance', constant: 'pruneMs', ms: 15_000, inRun: () => 1_000 },
  { of: 'worker', module: 'call-audit', constant: 'rememberedMs', ms: 9 * 60_000 },
  { of: 'worker', module: 'call-audit', constant: 'longestWaitMs', ms: 4 * 60_000 },
];

/** How long a run keeps an end on record, in milliseconds: also the `RESULT_TTL` of its gateways. */
export function endsKeptMs(haste: number): number {
  return Math.ceil(endsMs / haste);
}

/** The declaration of a constant, in TypeScript as in JavaScript. */
export function declarationOf(constant: string): RegExp {
  return new RegExp(`^const ${constant} = [^;]+;$`, 'm');
}

/**
 * Source of a module that is loaded into gateways and workers before their own code. It makes them forget `haste` times
 * sooner than shipped ones; otherwise a run would have to last ten minutes to see what follows when an end is
 * forgotten. A module without its constant does not load. The process runs the modules that the main module of an app
 * bundles.
 */
export function shortMemoryModule(haste: number): string {
  const changes = remembered.map(({ of, module, constant, ms, inRun = () => ms / haste }) => ({
    url: `/${of}/dist/(.*/)?${module}\\.js$`,
    declaration: declarationOf(constant).source,
    instead: `const ${constant} = ${Math.ceil(inRun(endsKeptMs(haste)))};`,
  }));
  const hooks = `
const changes = ${JSON.stringify(changes)};
const unbundled = "import process from 'node:process'; import { run } from './run.js'; await run(process);";
export async function load(url, context, nextLoad) {
  if (/\\/apps\\/(gateway|worker)\\/dist\\/main\\.js$/.test(url)) {
    return { format: 'module', source: unbundled, shortCircuit: true };
  }
  const loaded = await nextLoad(url, context);
  const mine = changes.filter((change) => new RegExp(change.url).test(url));
  const change = (text, { declaration, instead }) => {
    const changed = text.replace(new RegExp(declaration, 'm'), instead);
    if (changed === text) {
      throw new Error(url + ' has nothing like ' + declaration);
    }
    return changed;
  };
  return mine.length === 0 ? loaded : { ...loaded, source: mine.reduce(change, String(loaded.source)) };
}`;
  const url = `data:text/javascript,${encodeURIComponent(hooks)}`;
  return `import { register } from 'node:module'; register(${JSON.stringify(url)});`;
}
