/** A source of numbers from 0 up to 1. */
export type Random = () => number;

/** Returns the same numbers again for the same seed (mulberry32). */
export function createRandom(seed: number): Random {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** From 0 up to `limit`, exclusive. */
export function integerBelow(random: Random, limit: number): number {
  return Math.floor(random() * limit);
}

/** One of several. Throws if the list is empty. */
export function pickFrom<T>(random: Random, items: readonly T[]): T {
  const picked = items[integerBelow(random, items.length)];
  if (picked === undefined) {
    throw new RangeError('there is nothing to pick from');
  }
  return picked;
}
