/** The entries of all pages. The next page is asked for when the one before is used up. */
export async function* eachEntry<Page extends { readonly cursor?: string | undefined }, T>(
  ask: (cursor: string | undefined) => Promise<Page>,
  entriesOf: (page: Page) => readonly T[],
): AsyncGenerator<T, void, undefined> {
  for (let cursor: string | undefined, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const page = await ask(cursor);
    yield* entriesOf(page);
    cursor = page.cursor;
  }
}
