/** User and password of a URL, decoded. */
export interface UrlCredentials {
  readonly user: string;
  readonly password: string;
}

/** What a URL says of user and password; undefined for one that has neither. */
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
