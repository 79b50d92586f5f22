// Decides where callbacks may go. Pure.

export { CallbackPolicy } from './callback-policy.ts';
export { type CallbackUrl, readCallbackUrl } from './callback-url.ts';
export { addressBlock } from './ip-network.ts';
export { type PortRange, portRangeType } from './port-range.ts';
export { callbackRuleSettings } from './settings.ts';
export { isPublicAddress } from './special-networks.ts';
export { type TargetRule, targetRuleType } from './target-rule.ts';
