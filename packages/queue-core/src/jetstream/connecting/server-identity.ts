import { isIP } from 'node:net';
import { checkServerIdentity, type PeerCertificate } from 'node:tls';

/** The server name that Node uses if it gets none, as the client does for an address. */
const noName = 'localhost';

/**
 * Whether a certificate is that of the server which we wanted. A server that is named by its address has to have that
 * address in its certificate, which the client itself does not ask for.
 * @param servers `nats://host:port`
 */
export function identityCheck(servers: readonly string[]) {
  const hosts = servers.map((server) => new URL(server).hostname.replace(/^\[|\]$/g, ''));
  const nameless = hosts.filter((host) => isIP(host) !== 0 || host === noName);
  return (host: string, certificate: PeerCertificate): Error | undefined => {
    const wanted = host === noName && nameless.length > 0 ? nameless : [host];
    const objections = wanted.map((name) => checkServerIdentity(name, certificate));
    return objections.includes(undefined) ? undefined : objections[0];
  };
}
