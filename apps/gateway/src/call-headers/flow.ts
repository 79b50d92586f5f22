import { type Call, isFlowKey, maxParallelism } from '@asyncfn/queue-core';
import { formatDuration, formatRate, parseRate } from '@asyncfn/units';
import { type Refusal, refusal } from '../problem.ts';

/** The flow key of a call, and what its caller says of it. */
export type CallFlow = NonNullable<Call['flow']>;

/**
 * Reads `X-Flow-Key` and `X-Flow-Control`. Undefined if there is no key. The key never appears in what a refusal says
 * (P9).
 */
export function readFlow(
  keys: readonly string[],
  controls: readonly string[],
): { readonly kind: 'flow'; readonly flow: CallFlow } | Refusal | undefined {
  const [key] = keys;
  if (key === undefined) {
    return controls.length === 0
      ? undefined
      : invalid('X-Flow-Control is about the key in X-Flow-Key, which is missing.');
  }
  if (keys.length > 1 || !isFlowKey(key)) {
    return refusal(
      'invalid_flow_key',
      'X-Flow-Key must be sent once, as 1 to 128 visible ASCII characters, and not as . or ..',
    );
  }
  const limits = readControl(controls);
  return limits.kind === 'refused' ? limits : { kind: 'flow', flow: { key, ...limits.found } };
}

type Limits = Pick<CallFlow, 'parallelism' | 'rate'>;

/**
 * The longest period that a caller may name. The queue keeps the state of a key for that long after its last call has ended,
 * and callers may make up a key for each call.
 */
const maxPeriodMs = 3_600_000;

/** `parallelism=1, rate=10, period=1m`, in any order; several headers are one list. */
function readControl(controls: readonly string[]): { readonly kind: 'limits'; readonly found: Limits } | Refusal {
  const settings = readSettings(controls);
  if (settings === undefined) {
    return invalid(`X-Flow-Control may have parallelism, rate and period, each once: ${form}`);
  }
  const { parallelism, rate: count, period } = settings;
  if (parallelism !== undefined && !isParallelism(parallelism)) {
    return invalid(`parallelism in X-Flow-Control must be a whole number from 1 to ${maxParallelism}: ${form}`);
  }
  const rate = parseRate(`${count}/${period}`);
  if (rate === undefined && (count !== undefined || period !== undefined)) {
    return invalid(
      `rate and period in X-Flow-Control go together: a whole number from 1 to 100000, and a duration from 100ms to ${longest}: ${form}`,
    );
  }
  if (rate !== undefined && rate.periodMs > maxPeriodMs) {
    return invalid(
      `period in X-Flow-Control must be ${longest} at most; only the settings of the function and pins may have a longer one: ${form}`,
    );
  }
  const found = {
    ...(parallelism !== undefined && { parallelism: Number(parallelism) }),
    ...(rate !== undefined && { rate: formatRate(rate) }),
  };
  return { kind: 'limits', found };
}

const longest = formatDuration(maxPeriodMs);
const form = 'write parallelism=1, rate=10, period=1m, or one of the two limits.';

type Settings = Partial<Record<'parallelism' | 'rate' | 'period', string>>;

/** Undefined if there is one that is not known, or that is sent twice. */
function readSettings(controls: readonly string[]): Settings | undefined {
  const settings = new Map<string, string>();
  for (const part of controls.join(',').split(',')) {
    const [, name = '', value = ''] = /^\s*(parallelism|rate|period) *= *([0-9a-z.]{1,20})\s*$/i.exec(part) ?? [];
    if (part.trim() !== '' && (name === '' || settings.has(name.toLowerCase()))) {
      return undefined;
    }
    settings.set(name.toLowerCase(), value);
  }
  settings.delete('');
  return Object.fromEntries(settings);
}

function isParallelism(text: string): boolean {
  return /^\d{1,4}$/.test(text) && Number(text) >= 1 && Number(text) <= maxParallelism;
}

function invalid(detail: string): Refusal {
  return refusal('invalid_flow_control', detail);
}
