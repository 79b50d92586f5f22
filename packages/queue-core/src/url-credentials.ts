/** User and password of a URL, decoded. */
export interface UrlCredentials {
  readonly user: string;
  readonly password: string;
}

/** User and password of a URL; undefined if it has neither. */
export function credentialsOf({ username, password }: URL): UrlCredentials | undefined {
  return username === '' && password === '' ? undefined : { user: decoded(username), password: decoded(password) };
}

/** A percent sign outside of an escape is kept: a stored URL may be older than the rule that refuses it now. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
