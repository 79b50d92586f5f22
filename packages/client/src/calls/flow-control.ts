import { checkOptions, OptionError, type OptionNames } from '../errors/index.ts';

/** How many calls of a flow key may run. */
export interface FlowControl {
  /** Calls of the key that may run at once, 1 to 1,000. */
  readonly parallelism?: number;
  /** Calls of the key in any window of a length: `10/1m`, 1 to 100,000 in `100ms` to `1h`. Default: no limit. */
  readonly rate?: string;
}

const flowControlOptions: OptionNames<FlowControl> = { parallelism: true, rate: true };

/**
 * `parallelism=3, rate=10, period=1m`. The gateway checks the values.
 *
 * @throws OptionError for what cannot be limits, and for limits without a key
 */
export function toFlowControl(key: string | undefined, control: FlowControl | undefined): string | undefined {
  if (control === undefined) {
    return undefined;
  }
  checkOptions(control, flowControlOptions, 'flowControl');
  if (key === undefined) {
    throw new OptionError('flowControl: is about the calls of a key; name the key with flowKey');
  }
  const { parallelism, rate } = control;
  const [, count, period] = /^(\w+)\/([\w.]+)$/.exec(String(rate)) ?? [];
  if (rate !== undefined && count === undefined) {
    throw new OptionError(`flowControl: ${JSON.stringify(rate)} is not a rate; write 10/1m`);
  }
  const limits = Object.entries({ parallelism, rate: count, period }).filter(([, value]) => value !== undefined);
  return limits.length === 0 ? undefined : limits.map(([name, value]) => `${name}=${value}`).join(', ');
}
