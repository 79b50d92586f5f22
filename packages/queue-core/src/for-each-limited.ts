/**
 * Does the work for each item, for at most `limit` of them at once. Rejects with the first error; work in progress
 * continues then, and no further work begins.
 */
export async function forEachLimited<T>(
  items: readonly T[],
  limit: number,
  work: (item: T) => Promise<unknown>,
): Promise<void> {
  const waiting = items.values();
  let failed = false;
  const lane = async (): Promise<void> => {
    for (const item of waiting) {
      if (failed) {
        return;
      }
      await work(item);
    }
  };
  const guarded = (): Promise<void> =>
    lane().catch((error: unknown) => {
      failed = true;
      throw error;
    });
  await Promise.all(Array.from({ length: Math.min(limit, items.length) }, guarded));
}
