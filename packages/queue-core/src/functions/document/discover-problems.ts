import type { Found } from '@asyncfn/checked-yaml';
import { parseDuration } from '@asyncfn/units';
import { everyExpectation, everyRangeMs } from '../discovery/index.ts';
import { entriesOf } from '../entries-of.ts';
import { gatewayExpectation } from '../openfaas/index.ts';
import { urlProblem } from '../url/index.ts';

/** Problems that the schema does not see, even in a document whose shape is wrong elsewhere. */
export function discoverProblems(document: unknown): Found[] {
  const settings = entriesOf(document, 'discover').flatMap(([key, value]) =>
    key === 'openfaas' ? entriesOf({ value }, 'value') : [],
  );
  return settings.flatMap(([key, value]): Found[] => {
    const problem = typeof value === 'string' ? problemOf(key, value) : undefined;
    return problem === undefined ? [] : [{ keys: ['discover', 'openfaas', key], problem }];
  });
}

function problemOf(key: string, value: string): string | undefined {
  if (key === 'url') {
    const hasPassword = /^https?:\/\/[^/]*@/i.test(value);
    return hasPassword
      ? `${gatewayExpectation}: it holds a user or a password, which belong in user and tokenFile`
      : urlProblem(value, gatewayExpectation);
  }
  const everyMs = key === 'every' ? parseDuration(value) : undefined;
  const [leastMs, mostMs] = everyRangeMs;
  return everyMs !== undefined && (everyMs < leastMs || everyMs > mostMs) ? everyExpectation : undefined;
}
