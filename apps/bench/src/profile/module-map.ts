import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A bundler's comment above each module in a bundle. */
const moduleComment = /^\/\/(?:#region)? ((?:\.\.?\/|src\/|node_modules\/)\S+\.[cm]?[jt]s)$/;

/** Finds the module that a line of a file comes from, even if the file is a bundle. */
export class ModuleMap {
  /** For each file: its modules and the lines where they begin, in ascending order. */
  readonly #files = new Map<string, readonly (readonly [line: number, module: string])[]>();

  /** `line` counts from 0. A URL that is not a file, such as `node:net`, is its own module. */
  moduleAt(url: string, line: number): string {
    if (!url.startsWith('file:')) {
      return url;
    }
    const path = fileURLToPath(url);
    const begun = this.#modulesOf(path).findLast(([first]) => first <= line);
    return begun === undefined ? path : `/${begun[1].replace(/^(\.\.\/)+/, '')}`;
  }

  #modulesOf(path: string): readonly (readonly [number, string])[] {
    const known = this.#files.get(path) ?? readModules(path);
    this.#files.set(path, known);
    return known;
  }
}

function readModules(path: string): (readonly [number, string])[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap((text, line) => {
      const module = moduleComment.exec(text)?.[1];
      return module === undefined
        ? []
        : [[line, module.startsWith('src/') ? `${path.split('/dist/')[0]}/${module}` : module] as const];
    });
}
