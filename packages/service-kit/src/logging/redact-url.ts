import { parseUrl } from '@asyncfn/units';
/**
 * A URL fit for logs, error texts and answers: without userinfo, query and fragment, where passwords and tokens are
 * found. Never throws; from a text that is not a URL, it removes everything that could be one of these.
 */
export function displayUrl(url: string | URL): string {
  const text = String(url);
  const shown = parseUrl(text);
  if (shown === undefined) {
    return redactText(text);
  }
  shown.username = '';
  shown.password = '';
  shown.search = '';
  shown.hash = '';
  return shown.href;
}

function redactText(text: string): string {
  if (/^\/(?!\/)/.test(text)) {
    return text.replace(/[?#].*$/s, ''); // a path has no userinfo, though it may have an @
  }
  const start = text.indexOf('//') + 2;
  const at = text.lastIndexOf('@');
  const withoutUserinfo = start >= 2 && at >= start ? text.slice(0, start) + text.slice(at + 1) : text.slice(at + 1);
  return withoutUserinfo.replace(/[?#].*$/s, '');
}
