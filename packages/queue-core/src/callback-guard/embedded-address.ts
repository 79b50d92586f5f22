import ipaddr from 'ipaddr.js';
import { type IpAddress, isInNetwork, parseNetwork } from './ip-network.ts';

/** Networks of IPv6 whose addresses stand for one of IPv4, and the byte at which that one begins. */
const wrappers = [
  { network: parseNetwork('::/96'), at: 12 },
  { network: parseNetwork('::ffff:0:0/96'), at: 12 },
  { network: parseNetwork('::ffff:0:0:0/96'), at: 12 },
  { network: parseNetwork('64:ff9b::/96'), at: 12 },
  { network: parseNetwork('2002::/16'), at: 2 },
] as const;

/** The IPv4 address that a packet to this IPv6 address reaches; undefined if it wraps none. */
export function embeddedIpv4(address: IpAddress): IpAddress | undefined {
  const wrapper = wrappers.find(({ network }) => network !== undefined && isInNetwork(address, network));
  return wrapper && ipaddr.fromByteArray(address.toByteArray().slice(wrapper.at, wrapper.at + 4));
}
