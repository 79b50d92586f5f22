import type { paths } from '../api/index.ts';
import type { Flow } from './flow.ts';

/** The limits that an operator sets. */
export type Pin = paths['/system/flows/{function}/{key}']['put']['requestBody']['content']['application/json'];

/** What the form has. Empty for a limit that is not pinned. */
export interface PinTexts {
  readonly parallelism: string;
  readonly rate: string;
}

export type ParsedPin =
  | { readonly kind: 'pin'; readonly pin: Pin }
  | { readonly kind: 'problem'; readonly problem: string };

const mostAtOnce = 1_000;

/** What is pinned now. */
export function toTexts({ limitsFrom, parallelism, rate }: Flow): PinTexts {
  return {
    parallelism: limitsFrom.parallelism === 'pin' ? String(parallelism) : '',
    rate: limitsFrom.rate === 'pin' ? (rate ?? '') : '',
  };
}

/** The bounds of a rate are the gateway's to check, which says what they are. */
export function parsePin(texts: PinTexts): ParsedPin {
  const [parallelism, rate] = [texts.parallelism.trim(), texts.rate.replaceAll(/\s/g, '')];
  if (parallelism === '' && rate === '') {
    return problem('Set at least one of the two. To have no pin, choose Unpin.');
  }
  if (parallelism !== '' && !(/^\d{1,4}$/.test(parallelism) && isAtOnce(Number(parallelism)))) {
    return problem(`At once: write a whole number from 1 to ${mostAtOnce}.`);
  }
  if (rate !== '' && !/^[1-9]\d{0,5}\/[0-9a-z.]{1,20}$/.test(rate)) {
    return problem('Rate: write a number, a slash and a time, such as 10/1m.');
  }
  return {
    kind: 'pin',
    pin: { ...(parallelism !== '' && { parallelism: Number(parallelism) }), ...(rate !== '' && { rate }) },
  };
}

function isAtOnce(count: number): boolean {
  return count >= 1 && count <= mostAtOnce;
}

function problem(text: string): ParsedPin {
  return { kind: 'problem', problem: text };
}
