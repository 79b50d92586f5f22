interface Result {
  readonly request: number;
  readonly retry: number;
  readonly invocation: number;
}

/** What the function answers: it names the invocation, so that two results of one call can be told apart. */
export function formatResult({ request, retry, invocation }: Result): string {
  return `${request}:${retry}:${invocation}`;
}

/** The request that a result is of; undefined for an empty one: no function has answered. */
export function readResult(text: string): number | undefined {
  return text === '' ? undefined : Number(text.split(':')[0]);
}
