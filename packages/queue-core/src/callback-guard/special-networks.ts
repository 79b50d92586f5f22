import { type IpAddress, type IpNetwork, isInNetwork, parseAddress, parseNetwork } from './ip-network.ts';

/** A network that is not the public Internet. */
export interface SpecialNetwork extends IpNetwork {
  /** Its purpose, shown in brackets after it. */
  readonly purpose: string;
}

/**
 * The special networks of IANA's registries, the narrower one first if two overlap, and the addresses that clouds
 * reserve among public ones. Networks that wrap IPv4 addresses (v4-mapped, NAT64, 6to4, Teredo) are included: they
 * would lead to any wrapped address.
 *
 * @see https://www.iana.org/assignments/iana-ipv4-special-registry
 * @see https://www.iana.org/assignments/iana-ipv6-special-registry
 */
const specialNetworks: readonly SpecialNetwork[] = Object.entries({
  '0.0.0.0/8': 'unspecified',
  '10.0.0.0/8': 'private',
  '100.64.0.0/10': 'shared by carriers, CGNAT',
  '127.0.0.0/8': 'loopback',
  '168.63.129.16/32': 'platform services of Azure',
  '169.254.0.0/16': 'link-local, metadata of clouds',
  '172.16.0.0/12': 'private',
  '192.0.0.0/24': 'protocol assignments',
  '192.0.2.0/24': 'documentation',
  '192.31.196.0/24': 'AS112',
  '192.52.193.0/24': 'AMT',
  '192.88.99.0/24': '6to4 relay',
  '192.168.0.0/16': 'private',
  '192.175.48.0/24': 'AS112',
  '198.18.0.0/15': 'benchmarking',
  '198.51.100.0/24': 'documentation',
  '203.0.113.0/24': 'documentation',
  '224.0.0.0/4': 'multicast',
  '255.255.255.255/32': 'broadcast',
  '240.0.0.0/4': 'reserved',
  '::/128': 'unspecified',
  '::1/128': 'loopback',
  '::/96': 'IPv4-compatible',
  '::ffff:0:0/96': 'IPv4-mapped',
  '::ffff:0:0:0/96': 'IPv4-translated',
  '64:ff9b::/96': 'NAT64',
  '64:ff9b:1::/48': 'local NAT64',
  '100::/64': 'discard-only',
  '2001::/32': 'Teredo',
  '2001::/23': 'protocol assignments',
  '2001:db8::/32': 'documentation',
  '2002::/16': '6to4',
  '2620:4f:8000::/48': 'AS112',
  '3fff::/20': 'documentation',
  'fc00::/7': 'unique-local',
  'fe80::/10': 'link-local',
  'fec0::/10': 'site-local',
  'ff00::/8': 'multicast',
}).map(([text, purpose]) => ({ ...known(text), purpose }));

/** The public part of IPv6; everything outside of it is not public. */
const globalUnicast = known('2000::/3');

const notGivenOut: SpecialNetwork = { ...known('::/0'), purpose: 'not given out for public use' };

/** The network for which an address is not public; undefined for one that is. */
export function findSpecialNetwork(address: IpAddress): SpecialNetwork | undefined {
  const special = specialNetworks.find((network) => isInNetwork(address, network));
  if (special !== undefined || address.kind() === 'ipv4' || isInNetwork(address, globalUnicast)) {
    return special;
  }
  return notGivenOut;
}

/** Whether a text is an address of the public Internet. */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== undefined && findSpecialNetwork(address) === undefined;
}

function known(text: string): IpNetwork {
  const network = parseNetwork(text);
  if (network === undefined) {
    throw new Error(`${text} is not a network`);
  }
  return network;
}
