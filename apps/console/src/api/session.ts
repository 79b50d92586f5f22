import { signal } from '@preact/signals';

/** The name under which the token of this tab is kept. Another tab has its own; closing the tab forgets it. */
const key = 'asyncfn.token';

/** The token that requests are sent with; undefined for none. */
export const token = signal<string | undefined>(sessionStorage.getItem(key) ?? undefined);

export function keepToken(value: string): void {
  sessionStorage.setItem(key, value);
  token.value = value;
}

export function forgetToken(): void {
  sessionStorage.removeItem(key);
  token.value = undefined;
}
