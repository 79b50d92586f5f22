import { dirname, isAbsolute, relative, resolve, sep } from 'node:path';
import type { FileDefinition } from '@asyncfn/queue-core/functions';

/** Where a process may look for secrets. */
export interface SecretPlaces {
  /** Path of the functions file; undefined if there is none. */
  readonly functionsFile: string | undefined;
  /** Its current content. */
  readonly definition: () => Pick<FileDefinition, 'settings'> | undefined;
  /** `WEBHOOK_SECRETS_DIR` */
  readonly folder: string | undefined;
}

export type LocatedSecret =
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'refused'; readonly problem: string };

/**
 * The path of a secret file. The functions file of this process may name any file. All other settings come from the
 * API or from other processes, and may name only files below `WEBHOOK_SECRETS_DIR`: otherwise an operator of the API
 * could make the gateway read any file of its machine.
 *
 * @param name of the function
 * @param file as it was written; a relative path starts at the folder of the functions file, or at that folder
 */
export function locateSecret(name: string, file: string, places: SecretPlaces): LocatedSecret {
  const { functionsFile, definition, folder } = places;
  if (functionsFile !== undefined && filesOf(definition()?.settings.get(name)?.webhook).includes(file)) {
    return { kind: 'path', path: resolve(dirname(functionsFile), file) };
  }
  if (folder === undefined) {
    return { kind: 'refused', problem: 'needs WEBHOOK_SECRETS_DIR, which is not set at this gateway' };
  }
  const path = resolve(folder, file);
  const inside = relative(resolve(folder), path);
  return inside === '' || inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)
    ? { kind: 'refused', problem: 'must be the path of a file below WEBHOOK_SECRETS_DIR' }
    : { kind: 'path', path };
}

function filesOf(webhook: unknown): readonly unknown[] {
  const files: unknown = typeof webhook === 'object' && webhook !== null ? Reflect.get(webhook, 'secretFiles') : [];
  return Array.isArray(files) ? files : [];
}
