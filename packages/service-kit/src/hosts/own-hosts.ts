import { coversHost, type HostPattern } from './host-pattern.ts';
import { isLoopback } from './loopback.ts';

/**
 * The names by which a server that asks for no credentials may be called. A web page whose name leads to our address (DNS
 * rebinding) is of our origin to its browser, and only `Host` tells that it is not one of ours.
 */
export class OwnHosts {
  readonly #allowed: readonly HostPattern[];
  /** Nearly all requests name what the one before has named. */
  #last = { host: '', localAddress: '', isOwn: false };

  /** @param allowed names besides those that always lead to this machine */
  constructor(allowed: readonly HostPattern[]) {
    this.#allowed = allowed;
  }

  /**
   * Whether a `Host` header names us: as localhost or a name below it (RFC 6761, 6.3), as a loopback address, as the
   * address that the connection came to, or as is allowed. What is no browser may do without the header (HTTP/1.0).
   *
   * @param host with or without a port
   * @param localAddress our end of the connection
   */
  include(host: string | undefined, localAddress = ''): boolean {
    if (host === undefined) {
      return true;
    }
    const last = this.#last;
    if (last.host !== host || last.localAddress !== localAddress) {
      this.#last = { host, localAddress, isOwn: this.#covers(toHostname(host), localAddress) };
    }
    return this.#last.isOwn;
  }

  #covers(hostname: string, localAddress: string): boolean {
    const isOurs = isLoopback(hostname) || hostname.endsWith('.localhost') || hostname === plain(localAddress);
    return isOurs || this.#allowed.some((pattern) => coversHost(pattern, hostname));
  }
}

/** In lower case, without port, without the brackets of an address and without a dot at the end. */
function toHostname(host: string): string {
  const [, address, name = ''] = /^(?:\[([^\]]*)\]|([^:]*))(?::\d*)?$/.exec(host.trim().toLowerCase()) ?? [];
  return address ?? name.replace(/\.$/, '');
}

/** An IPv4 address as such, also where it came to a socket for IPv6. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
}
