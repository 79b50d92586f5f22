import { createHash } from 'node:crypto';
import type { SearchPosition } from '@asyncfn/queue-core/jetstream';
import { invalidParameter } from '../problem.ts';
import { type FilterValues, filterNames } from './parse-filter.ts';

/** `<version>.<digest of the filter>.<microseconds>.<hash>` and, for a place between calls of one key, `.<identity>`. */
const form = /^1\.([A-Za-z0-9_-]{11})\.([0-9a-z]{1,11})\.([0-9a-z]{1,7})(?:\.([A-Za-z0-9_.=~-]{1,300}))?$/;

/** The place where the next page begins, as text. It holds for this filter alone. */
export function toCursor({ micros, hash, after }: SearchPosition, values: FilterValues): string {
  const place = `${micros.toString(36)}.${hash.toString(36)}${after === undefined ? '' : `.${after}`}`;
  return Buffer.from(`1.${digestOf(values)}.${place}`).toString('base64url');
}

/** The reverse of `toCursor`. Throws `RefusalError`. */
export function parseCursor(value: unknown, values: FilterValues): SearchPosition | undefined {
  if (value === undefined) {
    return undefined;
  }
  const text = typeof value === 'string' ? Buffer.from(value, 'base64url').toString('latin1') : '';
  const [, digest, micros = '', hash = '', after] = form.exec(text) ?? [];
  const position = { micros: Number.parseInt(micros, 36), hash: Number.parseInt(hash, 36) };
  if (digest === undefined || !Number.isSafeInteger(position.micros) || position.hash > 0xffff_ffff) {
    throw invalidParameter('cursor must be the cursor of the page before, sent once and unchanged.');
  }
  if (digest !== digestOf(values)) {
    throw invalidParameter(
      'cursor belongs to a search with other filters: send the filters of the page that it comes from.',
    );
  }
  return after === undefined ? position : { ...position, after };
}

function digestOf(values: FilterValues): string {
  const sorted = filterNames.map((name) => [values[name] ?? []].flat().map(String).toSorted());
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64url').slice(0, 11);
}
