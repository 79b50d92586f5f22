import { type Call, isFlowKey, maxParallelism } from '@asyncfn/queue-core';
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

type Limits = Pick<CallFlow, 'parallelism'>;

/** `parallelism=1`; several headers are one list. */
function readControl(controls: readonly string[]): { readonly kind: 'limits'; readonly found: Limits } | Refusal {
  const settings = controls
    .join(',')
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  const [setting] = settings;
  if (setting === undefined) {
    return { kind: 'limits', found: {} };
  }
  const value = /^parallelism *= *(\d{1,4})$/i.exec(setting)?.[1];
  const parallelism = Number(value ?? 0);
  return settings.length === 1 && parallelism >= 1 && parallelism <= maxParallelism
    ? { kind: 'limits', found: { parallelism } }
    : invalid(`X-Flow-Control must have one setting: parallelism, a whole number from 1 to ${maxParallelism}.`);
}

function invalid(detail: string): Refusal {
  return refusal('invalid_flow_control', detail);
}
