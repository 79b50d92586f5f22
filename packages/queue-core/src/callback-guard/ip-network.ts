import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

export type IpAddress = ipaddr.IPv4 | ipaddr.IPv6;

/** A network of IP addresses, of one family. */
export interface IpNetwork {
  readonly base: IpAddress;
  readonly prefixLength: number;
}

/** An address as sockets and resolvers write it. Undefined for anything else: octal, hexadecimal and short forms too. */
export function parseAddress(text: string): IpAddress | undefined {
  return isIP(text) === 0 ? undefined : ipaddr.parse(text);
}

/** `10.0.0.0/8`, `fd00::/8`, or one address. Undefined for anything else, and if bits are set after the prefix. */
export function parseNetwork(text: string): IpNetwork | undefined {
  const [, address = '', length] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(text) ?? [];
  const base = parseAddress(address);
  if (base === undefined || address.includes('%')) {
    return undefined;
  }
  const bits = base.toByteArray().length * 8;
  const prefixLength = length === undefined ? bits : Number(length);
  return prefixLength <= bits && isBaseOf(base, prefixLength) ? { base, prefixLength } : undefined;
}

/** Whether the address lies in the network. Families do not mix: `::ffff:10.0.0.1` is not in `10.0.0.0/8`. */
export function isInNetwork(address: IpAddress, { base, prefixLength }: IpNetwork): boolean {
  return address.kind() === base.kind() && address.match(base, prefixLength);
}

export function formatNetwork({ base, prefixLength }: IpNetwork): string {
  return `${base.toString()}/${prefixLength}`;
}

/**
 * The block of addresses that one party usually has: a single IPv4 address, or an IPv6 `/64`.
 * @param address as a resolver writes it
 */
export function addressBlock(address: string): string {
  const ip = parseAddress(address);
  return ip === undefined ? address : ip.toByteArray().slice(0, 8).join('.');
}

function isBaseOf(address: IpAddress, prefixLength: number): boolean {
  const bits = address.toByteArray().map((byte) => byte.toString(2).padStart(8, '0'));
  return !bits.join('').slice(prefixLength).includes('1');
}
