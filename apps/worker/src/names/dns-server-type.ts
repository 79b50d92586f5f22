import { isIP, isIPv6 } from 'node:net';

/** A DNS server in a setting, in the format of `Resolver.setServers`. */
export const dnsServerType = {
  expected: 'an IP address, with a port if it is not 53, such as 10.0.0.2, 10.0.0.2:5353 or [fd00::2]:5353',
  example: '10.0.0.2',
  parse: (text: string): string | undefined => (isServer(text) ? text : undefined),
  format: (server: string): string => server,
} as const;

function isServer(text: string): boolean {
  const [, ipv6, ipv4, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(text) ?? [];
  const isPort = port === undefined || (Number(port) >= 1 && Number(port) <= 65_535);
  return isIP(text) !== 0 || (isPort && (isIP(ipv4 ?? '') === 4 || isIPv6(ipv6 ?? '')));
}
