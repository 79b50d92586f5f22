import { embeddedIpv4 } from './embedded-address.ts';
import { formatNetwork, type IpAddress, parseAddress } from './ip-network.ts';
import { type PortRange, portRangeType } from './port-range.ts';
import { findSpecialNetwork } from './special-networks.ts';
import { coversAddress, coversName, type TargetRule } from './target-rule.ts';

/** Where callbacks may go, from the configuration of a process. */
export interface CallbackRules {
  /** Targets that are allowed although their addresses are not public. */
  readonly callbackAllow: readonly TargetRule[];
  /** Targets that are always refused. */
  readonly callbackDeny: readonly TargetRule[];
  readonly callbackPorts: readonly PortRange[];
  readonly callbackHttpsOnly: boolean;
}

/** Why a callback may not go to its target. */
export interface CallbackObjection {
  /** The setting that refuses it, or would have to allow it. */
  readonly rule: 'scheme' | 'CALLBACK_HTTPS_ONLY' | 'CALLBACK_PORTS' | 'CALLBACK_DENY' | 'CALLBACK_ALLOW';
  /** A sentence without its full stop. It quotes nothing of the URL (P9). */
  readonly detail: string;
}

/**
 * Decides where callbacks may go, so that a caller's callback URL cannot reach what only our own network reaches
 * (server-side request forgery). Ask it twice: about the URL, which shows everything except what its name resolves to,
 * and about each address before connecting to it.
 */
export class CallbackPolicy {
  readonly #rules: CallbackRules;

  constructor(rules: CallbackRules) {
    this.#rules = rules;
  }

  /** Why a URL is refused, as far as the URL itself shows; undefined if it is not. */
  objectTo({ protocol, port, hostname }: URL): CallbackObjection | undefined {
    return this.#objectToScheme(protocol) ?? this.#objectToPort(protocol, port) ?? this.#objectToHost(hostname);
  }

  /**
   * Why a connection to an address of a host is refused; undefined if it is not.
   *
   * @param host name or address, as a `URL` has it
   * @param address as a resolver writes it
   */
  objectToAddress(host: string, address: string): CallbackObjection | undefined {
    const { callbackAllow, callbackDeny } = this.#rules;
    const name = toName(host);
    const ip = parseAddress(address);
    if (ip === undefined) {
      return notPublic('its host resolves to something that is not an address');
    }
    if (callbackDeny.some((rule) => coversName(rule, name) || coversAddress(rule, ip) || coversEmbedded(rule, ip))) {
      return denied;
    }
    if (callbackAllow.some((rule) => coversName(rule, name) || coversAddress(rule, ip))) {
      return undefined;
    }
    const special = findSpecialNetwork(ip);
    return special && notPublic(`its host is in the network ${formatNetwork(special)} (${special.purpose})`);
  }

  #objectToScheme(protocol: string): CallbackObjection | undefined {
    if (protocol !== 'https:' && protocol !== 'http:') {
      return { rule: 'scheme', detail: 'it is neither http nor https' };
    }
    return this.#rules.callbackHttpsOnly && protocol === 'http:'
      ? { rule: 'CALLBACK_HTTPS_ONLY', detail: 'only https URLs are allowed (CALLBACK_HTTPS_ONLY)' }
      : undefined;
  }

  #objectToPort(protocol: string, port: string): CallbackObjection | undefined {
    const { callbackPorts } = this.#rules;
    const number = port === '' ? defaultPort(protocol) : Number(port);
    if (callbackPorts.some(({ first, last }) => first <= number && number <= last)) {
      return undefined;
    }
    const allowed = callbackPorts.map(portRangeType.format).join(', ');
    return { rule: 'CALLBACK_PORTS', detail: `its port is not one of ${allowed} (CALLBACK_PORTS)` };
  }

  #objectToHost(hostname: string): CallbackObjection | undefined {
    const host = withoutBrackets(hostname);
    if (parseAddress(host) !== undefined) {
      return this.objectToAddress(host, host);
    }
    const name = toName(host);
    if (this.#rules.callbackDeny.some((rule) => coversName(rule, name))) {
      return denied;
    }
    return isLocalhost(name) ? this.#objectToLocalhost(name) : undefined;
  }

  /** One allowed address family is enough: the addresses are checked when they are known. */
  #objectToLocalhost(name: string): CallbackObjection | undefined {
    const objection = this.objectToAddress(name, '127.0.0.1');
    return objection && this.objectToAddress(name, '::1') && objection;
  }
}

const denied: CallbackObjection = { rule: 'CALLBACK_DENY', detail: 'its host is denied (CALLBACK_DENY)' };

function notPublic(what: string): CallbackObjection {
  return { rule: 'CALLBACK_ALLOW', detail: `${what}, which is not public and not allowed (CALLBACK_ALLOW)` };
}

/** A denied network cannot be reached by its other spellings either. */
function coversEmbedded(rule: TargetRule, address: IpAddress): boolean {
  const embedded = embeddedIpv4(address);
  return embedded !== undefined && coversAddress(rule, embedded);
}

function defaultPort(protocol: string): number {
  return protocol === 'https:' ? 443 : 80;
}

function withoutBrackets(hostname: string): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
}

function toName(host: string): string {
  return host.toLowerCase().replace(/\.$/, '');
}

/** RFC 6761, 6.3: such names mean this machine, whatever a resolver says. */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost');
}
