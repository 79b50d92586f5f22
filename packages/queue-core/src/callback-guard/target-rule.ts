import { formatNetwork, type IpAddress, type IpNetwork, isInNetwork, parseNetwork } from './ip-network.ts';

/** One entry of `CALLBACK_ALLOW` or `CALLBACK_DENY`: where callbacks may go, or must not. */
export type TargetRule =
  | { readonly kind: 'network'; readonly network: IpNetwork }
  /** A name, or with `subdomains` all names below it. Lower case, without a dot at the end. */
  | { readonly kind: 'host'; readonly name: string; readonly subdomains: boolean };

const label = '[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?';
const hostPattern = new RegExp(`^(\\*\\.)?(${label}(?:\\.${label})*)$`);
/** URLs take such a name for an address (WHATWG, "ends in a number"), so it would never match as a name. */
const endsInNumber = /(?:^|\.)(?:\d+|0x[\da-f]*)$/;

/** The type of a setting that holds rules. */
export const targetRuleType = {
  expected:
    'a network (such as 10.0.0.0/8, with no bits behind its prefix), an address, a host name, or *. and a domain for all names below it',
  example: '10.0.0.0/8,*.internal.example',
  parse: parseTargetRule,
  format: (rule: TargetRule): string =>
    rule.kind === 'network' ? formatNetwork(rule.network) : `${rule.subdomains ? '*.' : ''}${rule.name}`,
} as const;

/** Whether the rule is about this address. */
export function coversAddress(rule: TargetRule, address: IpAddress): boolean {
  return rule.kind === 'network' && isInNetwork(address, rule.network);
}

/** Whether the rule is about this name, which is in lower case and has no dot at its end. */
export function coversName(rule: TargetRule, name: string): boolean {
  return rule.kind === 'host' && (rule.subdomains ? name.endsWith(`.${rule.name}`) : name === rule.name);
}

function parseTargetRule(text: string): TargetRule | undefined {
  const network = parseNetwork(text);
  if (network !== undefined) {
    return { kind: 'network', network };
  }
  const [, wildcard, name] = hostPattern.exec(text.toLowerCase().replace(/\.$/, '')) ?? [];
  return name === undefined || endsInNumber.test(name)
    ? undefined
    : { kind: 'host', name, subdomains: wildcard !== undefined };
}
