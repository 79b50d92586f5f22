import { errors } from '@nats-io/transport-node';
import { QueueError } from '../../errors.ts';
import { alertOf, type HandshakeAlert } from './handshake-probe.ts';

/** The problem of a certificate, by the code of Node's error. */
const distrust = /CERT|SELF_SIGNED|LEAF_SIGNATURE|ISSUER|HOSTNAME_MISMATCH|INVALID_CA/;

/**
 * Why a server refused the connection, as an error whose code says whether to try again, and whose message says what to
 * fix.
 * @param alert what the server has sent to end the handshake, if anything
 */
export function toConnectFailure(server: string, cause: unknown, alert?: HandshakeAlert): QueueError {
  const { host } = new URL(server);
  if (cause instanceof QueueError) {
    return cause;
  }
  if (isRefusedLogin(cause)) {
    return refusedLogin(cause);
  }
  const sent = alert ?? alertOf(cause);
  if (sent !== undefined) {
    return new QueueError('tls', alertMessage(host, sent), { cause });
  }
  const message = messageOf(cause);
  if (/server does not support 'tls'/.test(message)) {
    return new QueueError('tls', `NATS at ${host} does not speak TLS, which tls:// and NATS_TLS_* require`, { cause });
  }
  const code = codeOf(cause);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const advice = 'NATS_URL must name the server as its certificate does';
    return new QueueError('tls', `the certificate of NATS at ${host} is for another name: ${advice}`, { cause });
  }
  if (distrust.test(code)) {
    const advice = 'NATS_TLS_CA_FILE must hold the authority that has signed it';
    return new QueueError('tls', `the certificate of NATS at ${host} is not trusted (${message}): ${advice}`, {
      cause,
    });
  }
  return new QueueError('broker', `NATS at ${host} is not reachable: ${message}`, { cause });
}

/** NATS has refused our credentials. */
export function refusedLogin(cause: unknown): QueueError {
  const settings = 'NATS_USER, NATS_PASSWORD, NATS_TOKEN, NATS_CREDENTIALS_FILE and NATS_TLS_CERT_FILE';
  return new QueueError('authorization', `NATS refused the credentials: check ${settings}`, { cause });
}

/** A server that is too busy to check the credentials in time answers as if it had refused them. */
export function isRefusedLogin(error: unknown): boolean {
  const isRefused =
    error instanceof errors.AuthorizationError || error instanceof errors.UserAuthenticationExpiredError;
  return isRefused && !/authentication timeout/i.test(error.message);
}

function alertMessage(host: string, alert: HandshakeAlert): string {
  if (alert === 'certificate required') {
    return `NATS at ${host} asks for a client certificate: set NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE`;
  }
  return `NATS at ${host} has ended the TLS handshake (${alert}): check the certificate in NATS_TLS_CERT_FILE`;
}

function messageOf(cause: unknown): string {
  const { message } = cause instanceof Error ? cause : new Error(String(cause));
  const code = cause instanceof Error ? codeOf(cause.cause) : '';
  return code === '' ? message : `${message} (${code})`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
