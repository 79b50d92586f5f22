/** User and password of a URL, decoded. */
export interface UrlCredentials {
  readonly user: string;
  readonly password: string;
}

/** User and password of a URL; undefined if it has neither. */
export function credentialsOf({ username, password }: URL): UrlCredentials | undefined {
  return username === '' && password === '' ? undefined : { user: decoded(username), password: decoded(password) };
}

/** A percent sign that is none of an escape stands for itself: what is stored may be older than what is refused now. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
