export interface ServerConfig {
  readonly host: string;
  /** 0: a free one. */
  readonly port: number;
  /** Where the server writes which ports it listens on. */
  readonly portsDir: string;
  /** JetStream's folder; undefined: no JetStream. */
  readonly storeDir?: string | undefined;
  readonly domain?: string | undefined;
  readonly name?: string | undefined;
  readonly maxPayload: number;
  readonly syncInterval?: string | undefined;
  readonly monitor: boolean;
  /** Text of the caller's own, last, so that it wins. */
  readonly extra: string;
}

/** Writes nats-server's configuration file (https://docs.nats.io/running-a-nats-service/configuration). */
export function toServerConfig(config: ServerConfig): string {
  const { host, port, portsDir, storeDir, domain, name, maxPayload, syncInterval, monitor, extra } = config;
  const lines = [
    `listen: ${quote(`${host}:${port === 0 ? -1 : port}`)}`,
    `ports_file_dir: ${quote(portsDir)}`,
    `max_payload: ${maxPayload}`,
  ];
  if (name !== undefined) {
    lines.push(`server_name: ${quote(name)}`);
  }
  if (monitor) {
    lines.push(`http: ${quote(`${host}:-1`)}`);
  }
  if (storeDir !== undefined) {
    const sync = syncInterval === undefined ? '' : `, sync_interval: ${quote(syncInterval)}`;
    const own = domain === undefined ? '' : `, domain: ${quote(domain)}`;
    lines.push(`jetstream { store_dir: ${quote(storeDir)}${sync}${own} }`);
  }
  return `${[...lines, extra].join('\n')}\n`;
}

/** The configuration's strings know JSON's escapes for quotes and backslashes. */
function quote(text: string): string {
  return JSON.stringify(text);
}
