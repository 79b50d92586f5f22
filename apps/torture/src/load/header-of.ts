import type { RecordedRequest } from '@asyncfn/testkit';

/** Empty where there is no such header. */
export function headerOf({ headers }: RecordedRequest, name: string): string {
  return String(headers[name] ?? '');
}
