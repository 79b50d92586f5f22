/** The precondition of a request (RFC 9110, 13.1). */
export interface Precondition {
  /** `If-Match`: `*`, or tags, one of which must match the resource. */
  readonly match: EntityTags | undefined;
  /** `If-None-Match`: `*`, or tags, none of which may match the resource. */
  readonly noneMatch: EntityTags | undefined;
}

type EntityTags = '*' | readonly string[];

/** Reads the two headers; undefined if one of them is neither `*` nor a list of entity tags. */
export function parsePrecondition(headers: Readonly<Record<string, unknown>>): Precondition | undefined {
  const [match, noneMatch] = [headers['if-match'], headers['if-none-match']].map(parseEntityTags);
  return match === 'malformed' || noneMatch === 'malformed' ? undefined : { match, noneMatch };
}

/** @param tag the tag of the resource; undefined if it does not exist, and `''` if it has no tag yet */
export function isMet({ match, noneMatch }: Precondition, tag: string | undefined): boolean {
  return (match === undefined || matches(match, tag)) && (noneMatch === undefined || !matches(noneMatch, tag));
}

/** A strong tag. */
export function toEntityTag(revision: number | undefined): string {
  return revision === undefined ? '' : `"${revision}"`;
}

function matches(tags: EntityTags, tag: string | undefined): boolean {
  return tag !== undefined && (tags === '*' || tags.includes(tag));
}

const entityTag = /^(?:W\/)?"[\x21\x23-\x7e\x80-\xff]*"$/;

/** A weak tag (`W/"1"`) is kept as it is and matches no resource, because all of the gateway's tags are strong. */
function parseEntityTags(header: unknown): EntityTags | 'malformed' | undefined {
  if (typeof header !== 'string') {
    return undefined; // node joins what is sent several times
  }
  const text = header.trim();
  if (text === '*') {
    return '*';
  }
  const tags = text.match(/(?:W\/)?"[^"]*"|[^\s,]+/g) ?? [];
  return tags.length > 0 && tags.every((tag) => entityTag.test(tag)) ? tags : 'malformed';
}
