/** What names share that have no label of their own. */
export const otherLabel = 'other';

/**
 * Gives names that come from outside a label, so many at most: with `defaults.url` in the functions file any name is a
 * function, and clients could make time series without end. Names that are known have their own whatever their number;
 * of the others the first `limit` have, and the rest share `other`.
 * @param isKnown whether somebody who may do so has set the name up
 */
export function createBoundedLabel(limit: number, isKnown: (name: string) => boolean): (name: string) => string {
  const seen = new Set<string>();
  return (name) => {
    if (seen.has(name) || isKnown(name)) {
      return name;
    }
    if (seen.size >= limit) {
      return otherLabel;
    }
    seen.add(name);
    return name;
  };
}
