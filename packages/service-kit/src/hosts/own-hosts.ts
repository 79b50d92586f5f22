import { coversHost, type HostPattern } from './host-pattern.ts';
import { isLoopback } from './loopback.ts';

/**
 * The host names that a server without credentials answers to. To a browser, a web page whose name leads to our address
 * (DNS rebinding) has our origin; only `Host` shows that it is not ours.
 */
export class OwnHosts {
  readonly #allowed: readonly HostPattern[];
  /** Nearly all requests have the same host as the previous one. */
  #last = { host: '', localAddress: '', isOwn: false };

  /** @param allowed names besides those that always lead to this machine */
  constructor(allowed: readonly HostPattern[]) {
    this.#allowed = allowed;
  }

  /**
   * Whether a `Host` header names us: as localhost or a name below it (RFC 6761, 6.3), as a loopback address, as the
   * address that the connection came to, or as an allowed name. Clients other than browsers may omit the header
   * (HTTP/1.0).
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

/** The IPv4 address, also of a connection to an IPv6 socket. */
function plain(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.)/i, '').toLowerCase();
}
