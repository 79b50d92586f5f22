import { isLabel, maxLabelLength, maxLabels } from '@asyncfn/queue-core';
import { type Refusal, refusal } from '../problem.ts';

const noLabels: readonly string[] = [];

/** The labels of all `X-Label` headers in order, each once; still to be checked. */
export function readLabels(values: readonly string[]): readonly string[] {
  return values.length === 0 ? noLabels : [...new Set(values.flatMap((value) => value.split(',')).map(withoutPadding))];
}

/** Refuses labels that are too many or malformed. Says which one and why, and not its text (P9). */
export function checkLabels(labels: readonly string[]): Refusal | undefined {
  if (labels.length > maxLabels) {
    return refusal('invalid_label', `X-Label has ${labels.length} labels. A call may have ${maxLabels} at most.`);
  }
  const index = labels.findIndex((label) => !isLabel(label));
  return index < 0
    ? undefined
    : refusal('invalid_label', `Label ${index + 1} of X-Label ${whatIsWrong(labels[index] ?? '')}`);
}

function whatIsWrong(label: string): string {
  if (label === '') {
    return 'is empty: separate labels by one comma each.';
  }
  return label.length > maxLabelLength
    ? `has ${label.length} characters. A label may have ${maxLabelLength} at most.`
    : 'has a character that labels do not have. They are made of A-Z, a-z, 0-9 and . _ = : -';
}

/** Spaces and tabs may surround a comma (RFC 9110, 5.6.1). Not a pattern: it would take long for very many of them. */
function withoutPadding(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isPadding(text[start])) {
    start += 1;
  }
  while (end > start && isPadding(text[end - 1])) {
    end -= 1;
  }
  return text.slice(start, end);
}

function isPadding(character: string | undefined): boolean {
  return character === ' ' || character === '\t';
}
