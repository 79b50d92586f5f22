import type { PortRange } from './port-range.ts';
import type { TargetRule } from './target-rule.ts';

/**
 * The settings that say where callbacks may go. Gateway and worker share them, since the gateway checks the URL and the
 * worker connects to it.
 */
export const callbackRuleSettings = {
  allow: {
    env: 'CALLBACK_ALLOW',
    default: [] as readonly TargetRule[],
    doc: 'Where callbacks may go although it is not the public Internet: networks, addresses, host names, `*.domain`.',
  },
  deny: {
    env: 'CALLBACK_DENY',
    default: [] as readonly TargetRule[],
    doc: 'Where callbacks must not go, whatever else allows it; written like `CALLBACK_ALLOW`.',
  },
  ports: {
    env: 'CALLBACK_PORTS',
    default: [
      { first: 80, last: 80 },
      { first: 443, last: 443 },
      { first: 1024, last: 65_535 },
    ] as readonly PortRange[],
    doc: 'Ports that callbacks may go to.',
  },
  httpsOnly: {
    env: 'CALLBACK_HTTPS_ONLY',
    default: false,
    doc: 'Callbacks go to https URLs alone.',
  },
};
