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
    doc: 'Targets that callbacks may reach besides public addresses: networks, addresses, host names, `*.domain`.',
  },
  deny: {
    env: 'CALLBACK_DENY',
    default: [] as readonly TargetRule[],
    doc: 'Targets that callbacks must not reach, whatever else allows them; written like `CALLBACK_ALLOW`.',
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
    doc: 'Whether callbacks go only to https URLs.',
  },
};
