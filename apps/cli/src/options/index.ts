// Options that several commands have, and how their values are read.

export { type Common, gatewayOptions, type JsonChoice, jsonOption } from './common.ts';
export { given } from './given.ts';
export {
  collect,
  durationOption,
  durationTextOption,
  headerOption,
  integerOption,
  momentOption,
  rateOption,
} from './values.ts';
