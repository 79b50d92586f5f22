/** A URL as it is to be stored. */
export interface KeptUrl {
  readonly url: string;
  /** The URL before had credentials, and they were not taken over because they are for another origin. */
  readonly lost: boolean;
}

/**
 * The URL that replaces another one of a function. The API never shows its user and password: a URL without a user keeps
 * those of the one before, so that what was read can be written back. They never go to another origin than they were written for. An
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
