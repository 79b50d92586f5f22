/** The label of names that have none of their own. */
export const otherLabel = 'other';

/**
 * Limits the labels for names that come from outside: with `defaults.url` in the functions file any name is a function,
 * and clients could create time series without end. Known names always have their own label; of the others the first
 * `limit` have one, and the rest share `other`.
 * @param isKnown whether an operator has configured the name
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
