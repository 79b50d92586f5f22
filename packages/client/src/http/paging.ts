import { getJson } from './json-request.ts';
import { toQuery } from './request-url.ts';
import type { RequestOptions, Transport } from './transport.ts';

/** What a list selects, and where it begins. */
interface ListRequest {
  readonly path: string;
  readonly filter: { readonly cursor?: string | undefined };
}

/** The entries of all pages of a list. The next page is asked for when the one before is used up. */
export async function* eachEntry<Page extends { readonly cursor?: string | undefined }, T>(
  transport: Transport,
  { path, filter }: ListRequest,
  options: RequestOptions,
  entriesOf: (page: Page) => readonly T[],
): AsyncGenerator<T, void, undefined> {
  for (let { cursor } = filter, isFirst = true; isFirst || cursor !== undefined; isFirst = false) {
    const query = toQuery(cursor === undefined ? filter : { ...filter, cursor });
    const page = await getJson<Page>(transport, `${path}${query}`, options);
    yield* entriesOf(page);
    cursor = page.cursor;
  }
}
