/**
 * Whether a path's dot segments lead out of it, and so to other functions on the same origin. Proxies and frameworks
 * parse paths differently: a backslash is a slash to WHATWG URLs, some decode `%2F` before they split, some merge
 * double slashes, some cut `;parameters` or a `#fragment`. A path is refused if it climbs in any of these ways.
 */
export function climbs(path: string): boolean {
  if (!mayHoldDots.test(path)) {
    return false;
  }
  return leaves(path.split(/[/\\]/)) || leaves(path.split(/[/\\]|%2f|%5c/i));
}

const mayHoldDots = /\.|%2e/i;

function leaves(segments: readonly string[]): boolean {
  let depth = 0;
  for (const segment of segments) {
    const name = segment.replace(/[;#].*$/s, '').replace(/%2e/gi, '.');
    if (name === '..') {
      depth -= 1;
    } else if (name !== '' && name !== '.') {
      depth += 1;
    }
    if (depth < 0) {
      return true;
    }
  }
  return false;
}
