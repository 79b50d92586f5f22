/** A URL to store. */
export interface KeptUrl {
  readonly url: string;
  /** The old URL had credentials, which were not kept because they belong to another origin. */
  readonly lost: boolean;
}

/**
 * The URL that replaces another one of a function. The API never shows user and password: a URL without a user keeps
 * those of the old one, so that a client can write back what it has read. They are never sent to another origin. An
 * empty user, `http://@host`, removes them.
 *
 * @param url one that `urlProblem` has passed
 * @param before the URL that is stored, if there is one
 */
export function keepCredentials(url: string, before: string | undefined): KeptUrl {
  const userinfo = userinfoOf(url);
  if (userinfo !== undefined) {
    return { url: userinfo === '' ? url.replace('@', '') : url, lost: false };
  }
  const kept = before === undefined ? '' : (userinfoOf(before) ?? '');
  if (before === undefined || /^:?$/.test(kept)) {
    return { url, lost: false };
  }
  return new URL(url).origin === new URL(before).origin
    ? { url: url.replace('//', () => `//${kept}@`), lost: false }
    : { url, lost: true };
}

function userinfoOf(url: string): string | undefined {
  return /^https?:\/\/(?:([^/?#]*)@)?/i.exec(url)?.[1];
}
