const longestWaitSeconds = 60;

/**
 * How long a caller prefers to wait for a result, in milliseconds, at most a minute; undefined if it does not. What cannot be
 * understood is ignored, as RFC 7240 (2) wants it, and so are all instances of a preference but the first.
 *
 * @param header the values of `Prefer`, joined by commas
 */
export function waitMsOf(header: string): number | undefined {
  // What is quoted may have commas; only that of `wait` is of interest, and it has none.
  const bare = header.replace(/"((?:[^"\\]|\\.)*)"/g, (_, text: string) => (/^\d+$/.test(text) ? text : ''));
  const preferences = bare.split(',').map((each) => /^\s*([^\s=;]+)\s*(?:=\s*([^\s;]*))?/.exec(each));
  const value = preferences.find((each) => each?.[1]?.toLowerCase() === 'wait')?.[2] ?? '';
  return /^\d{1,9}$/.test(value) ? Math.min(Number(value), longestWaitSeconds) * 1_000 : undefined;
}
