import type { HeaderList } from '../call/index.ts';

/** A response that tells the client to ask elsewhere. asyncfn does not, so the function may not have run. */
export interface Redirect {
  /** `Location` as the function sent it; undefined if it sent none. */
  readonly location: string | undefined;
}

const notModified = 304;

/** Whether a function's response is a redirect: a status from 301 to 308, except 304. */
export function redirectOf(status: number | undefined, headers: HeaderList): Redirect | undefined {
  if (status === undefined || status < 301 || status > 308 || status === notModified) {
    return undefined;
  }
  return { location: headers.find(([name]) => name.toLowerCase() === 'location')?.[1] };
}
