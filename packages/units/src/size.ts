const KIB = 1024;
const KB = 1000;

/** Largest first: {@link formatSize} takes the first one that divides the size. */
const BYTES_PER_UNIT = new Map([
  ['TiB', KIB ** 4],
  ['TB', KB ** 4],
  ['GiB', KIB ** 3],
  ['GB', KB ** 3],
  ['MiB', KIB ** 2],
  ['MB', KB ** 2],
  ['KiB', KIB],
  ['KB', KB],
  ['B', 1],
]);

/**
 * Bytes of a size as people write it: a whole number (`512`, `512B`), with a binary unit (`512KiB`, `1MiB`, `8GiB`,
 * `1TiB`: powers of 1024) or a decimal one (`KB`, `MB`, `GB`, `TB`: powers of 1000). Anything else is `undefined`,
 * and so is a size beyond the safe integers.
 *
 * @see IEC 80000-13 for the binary units
 */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+)([KMGT]i?B|B)?$/.exec(text);
  if (match === null) {
    return undefined;
  }
  const bytes = Number(match[1]) * (BYTES_PER_UNIT.get(match[2] ?? 'B') ?? Number.NaN);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/**
 * The shortest exact text that {@link parseSize} reads back as the same number: `1048576` is `1MiB`, `1025` is `1025B`.
 *
 * @throws RangeError if `bytes` is negative or not a safe integer
 */
export function formatSize(bytes: number): string {
  if (!Number.isSafeInteger(bytes) || bytes < 0) {
    throw new RangeError(`${bytes} bytes is not a size`);
  }
  for (const [unit, unitBytes] of BYTES_PER_UNIT) {
    if (bytes >= unitBytes && bytes % unitBytes === 0) {
      return `${bytes / unitBytes}${unit}`;
    }
  }
  return '0B';
}
