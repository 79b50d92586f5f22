import type { RecordedRequest } from '@asyncfn/testkit';

/** Empty if the header does not exist. */
export function headerOf({ headers }: RecordedRequest, name: string): string {
  return String(headers[name] ?? '');
}
