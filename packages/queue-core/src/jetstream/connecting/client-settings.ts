/** Our credentials at NATS, and how NATS proves its identity. Files are paths. */
export interface ClientSettings {
  readonly credentialsFile?: string | undefined;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  readonly token?: string | undefined;
  /** The first part of all subjects that answers come in at. Default `_INBOX`. */
  readonly inboxPrefix?: string | undefined;
  /** The authorities that may sign the certificate of NATS. Default: those that Node knows. */
  readonly tlsCaFile?: string | undefined;
  /** Our own certificate and its key, for a NATS that asks clients for one. */
  readonly tlsCertFile?: string | undefined;
  readonly tlsKeyFile?: string | undefined;
}
