interface Result {
  readonly request: number;
  readonly retry: number;
  readonly invocation: number;
}

/** The answer of the function: it names the invocation, so that two results of one call differ. */
export function formatResult({ request, retry, invocation }: Result): string {
  return `${request}:${retry}:${invocation}`;
}

/** The request that a result belongs to; undefined for an empty result, which no function has sent. */
export function readResult(text: string): number | undefined {
  return text === '' ? undefined : Number(text.split(':')[0]);
}
