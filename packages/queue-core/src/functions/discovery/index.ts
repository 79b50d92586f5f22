// What a functions file says about functions that are found instead of listed. Pure.

export {
  type DiscoverContent,
  DiscoverSettings,
  discoverExpectations,
  everyExpectation,
  everyRangeMs,
  type OpenfaasSource,
  toSource,
} from './discover-settings.ts';
