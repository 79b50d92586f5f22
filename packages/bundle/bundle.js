// Bundles modules with everything that they import, for Node.
import { cpSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import { build } from 'rolldown';

/** Leaves dependencies out of source maps: Node decodes a map for the first stack trace, and holds it in memory. */
const mapsOfOwnCode = {
  name: 'maps-of-own-code',
  transform: {
    filter: { id: /[\\/]node_modules[\\/]/ },
    handler: (code) => ({ code, map: { mappings: '' } }),
  },
};

/**
 * Writes characters beyond Latin-1 as escapes. V8 stores a text without them in one byte a character, otherwise in two, and it
 * keeps the text of a module. Such characters stand in string and regular expression literals alone.
 */
const oneByteText = {
  name: 'one-byte-text',
  generateBundle(_, files) {
    for (const file of Object.values(files)) {
      if (file.type === 'chunk') {
        file.code = file.code.replace(/[^\0-\xff]/g, toEscape);
      }
    }
  },
};

/** Called for each UTF-16 code unit. */
function toEscape(unit) {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Bundles a package that reads files from its own folder by `__dirname`: copies the files to a folder in the output, and lets
 * the modules of the package look for them there.
 *
 * @param name of the package
 * @param files folders of the package that it reads from
 * @param to name of the folder in the output
 */
export function withFiles(name, files, to) {
  const inPackage = new RegExp(`^(.*[\\\\/]node_modules[\\\\/]${name})[\\\\/]`);
  let root;
  return {
    name: 'with-files',
    transform: {
      filter: { id: inPackage, code: '__dirname' },
      handler(code, id) {
        root = inPackage.exec(id)[1];
        const folder = posix.join(to, relative(root, dirname(id)).replaceAll('\\', '/'));
        const known = `require('node:path').join(import.meta.dirname, ${JSON.stringify(folder)})`;
        return { code: code.replaceAll('__dirname', known), map: { mappings: '' } };
      },
    },
    writeBundle({ dir }) {
      for (const file of root === undefined ? [] : files) {
        cpSync(join(root, file), join(dir, to, file), { recursive: true });
      }
    },
  };
}

/**
 * @param input the modules, or a map of them by the names of their bundles
 * @param dir folder of the bundles
 * @param external packages that are not bundled
 * @param plugins of rolldown
 * @param sourcemap whether source maps are written
 */
export async function bundle({ input, dir, external = [], plugins = [], sourcemap }) {
  return await build({
    input,
    platform: 'node',
    transform: { target: 'node20.18' },
    // The sources of the workspace's packages, so that source maps lead to them.
    resolve: { conditionNames: ['@asyncfn/source'] },
    external,
    plugins: [mapsOfOwnCode, oneByteText, ...plugins],
    // A comment costs memory: Node keeps the text of a module.
    output: {
      dir,
      sourcemap,
      sourcemapExcludeSources: true,
      comments: { legal: true, annotation: false, jsdoc: false },
    },
  });
}
