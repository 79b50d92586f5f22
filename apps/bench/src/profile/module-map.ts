import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A bundler's comment above each module that it has put into a file. */
const moduleComment = /^\/\/(?:#region)? ((?:\.\.?\/|src\/|node_modules\/)\S+\.[cm]?[jt]s)$/;

/** Tells the module that a line of a file comes from, also if the file is a bundle. */
export class ModuleMap {
  /** Of each file the modules and the lines that they begin in, upwards. */
  readonly #files = new Map<string, readonly (readonly [line: number, module: string])[]>();

  /** `line` counts from 0. What is no file, such as `node:net`, is its own module. */
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
