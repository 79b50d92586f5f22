/**
 * How much a client wants something, by the first of its names that an `Accept` header lists, the most specific name first
 * (RFC 9110, 12.4.2 and 12.5.1): 0 (not at all) to 1. Undefined if the header lists none of them.
 */
export function qualityOf(header: string, names: readonly string[]): number | undefined {
  const entries = header.split(',').map(parseEntry);
  return names.flatMap((name) => entries.find((entry) => entry.name === name) ?? [])[0]?.quality;
}

/** Whether a client names a media type, and wants it as much as JSON. */
export function prefersToJson(accept: string | undefined, type: string): boolean {
  const wanted = qualityOf(accept ?? '', [type]) ?? 0;
  return wanted > 0 && wanted >= (qualityOf(accept ?? '', ['application/json', 'application/*', '*/*']) ?? 0);
}

function parseEntry(entry: string): { readonly name: string; readonly quality: number } {
  const [name = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
  const quality = Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1);
  return { name, quality: quality >= 0 && quality <= 1 ? quality : 0 };
}
