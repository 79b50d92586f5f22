import { type ChainStep, maxChainDepth, maxChainSteps } from '@asyncfn/queue-core';
import { defaultQueue, type FunctionConfig, type FunctionNames } from '@asyncfn/queue-core/functions';
import { type Caller, coversFunction } from '@asyncfn/tokens';
import { parseTarget, type Target } from '../http/index.ts';
import { type Refusal, refusal } from '../problem.ts';

/** The steps that follow a call, in order. */
export interface AdmittedSteps {
  readonly kind: 'steps';
  readonly steps: readonly ChainStep[];
}

export interface AdmitStepsOptions {
  readonly caller: Caller;
  /** Hops from the first call of the chain to the one that the steps follow. */
  readonly chainDepth: number;
  readonly lookup: (name: string) => FunctionConfig | undefined;
  readonly names: Pick<FunctionNames, 'namesOf'>;
}

const noSteps: AdmittedSteps = { kind: 'steps', steps: [] };

/**
 * The steps that follow a call: those of its caller (`X-Then`), or else those that its function's settings name.
 * Everything about them is checked before the call is accepted.
 *
 * @param values all values of `X-Then`; several are one list (RFC 9110, 5.3)
 */
export function admitSteps(
  values: readonly string[],
  { steps: ofSettings }: Pick<FunctionConfig, 'steps'>,
  options: AdmitStepsOptions,
): AdmittedSteps | Refusal {
  if (values.length === 0 && ofSettings === undefined) {
    return noSteps;
  }
  const isOwn = values.length > 0;
  const texts = isOwn ? values.join(',').split(',') : (ofSettings ?? []);
  if (texts.length > maxChainSteps) {
    return refusal('invalid_then', `X-Then has ${texts.length} steps. At most ${maxChainSteps} may follow a call.`);
  }
  if (options.chainDepth + texts.length > maxChainDepth) {
    return refusal(
      'chain_too_deep',
      `The last step would be more than ${maxChainDepth} hops from the first call of its chain.`,
    );
  }
  const steps: ChainStep[] = [];
  for (const [index, text] of texts.entries()) {
    const step = admitStep(text.trim(), isOwn, options);
    if (step.kind === 'refused') {
      return { ...step, detail: `Step ${index + 1} of X-Then: ${step.detail}` };
    }
    steps.push(step.step);
  }
  return { kind: 'steps', steps };
}

type AdmittedStep = { readonly kind: 'step'; readonly step: ChainStep };

/** @param isOwn whether the caller names it, and not an operator: then its token must allow it, and it must exist */
function admitStep(text: string, isOwn: boolean, { caller, lookup, names }: AdmitStepsOptions): AdmittedStep | Refusal {
  const target = text === '' || text.includes('#') ? invalidStep : parseTarget(`/async-function/${text}`);
  if (target.kind === 'refused') {
    return target;
  }
  // Before the look-up, so that a token cannot find out which other functions exist.
  if (isOwn && !coversFunction(caller, target.name, names)) {
    return refusal('forbidden', 'the token does not allow this function.');
  }
  const found = lookup(target.name);
  return found === undefined && isOwn
    ? refusal('unknown_function', 'no function of this name is registered.')
    : { kind: 'step', step: toStep(target, found) };
}

/** A step of the settings whose function is gone by now ends as a call of a removed function does. */
function toStep({ name, path, query }: Target, found: FunctionConfig | undefined): ChainStep {
  return { function: found?.name ?? name, queue: found?.queue ?? defaultQueue, path, query };
}

const invalidStep = refusal(
  'invalid_then',
  'it must be NAME[.NAMESPACE][/path][?query]; write a comma within it as %2C, and "#" as %23.',
);
