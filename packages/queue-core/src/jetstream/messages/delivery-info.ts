/** The metadata in the reply subject of a delivery (NATS ADR-15). */
export interface DeliveryInfo {
  readonly stream: string;
  readonly consumer: string;
  /** How often this message has been delivered, including this time. */
  readonly deliveries: number;
  readonly streamSequence: number;
  /** When the message was stored: Unix time in milliseconds. */
  readonly storedAtMs: number;
  /** Messages that wait behind this one for the same consumer. */
  readonly pending: number;
}

/**
 * Parses `$JS.ACK.<stream>.<consumer>.<deliveries>.<stream seq>.<consumer seq>.<time>.<pending>`, and the longer form
 * with domain and account hash in front of the stream. Undefined for any other subject, for example that of a status.
 */
export function parseDeliveryInfo(reply: string): DeliveryInfo | undefined {
  const tokens = reply.split('.');
  if (tokens[0] !== '$JS' || tokens[1] !== 'ACK' || tokens.length < 9) {
    return undefined;
  }
  const at = tokens.length === 9 ? 2 : 4;
  const [stream = '', consumer = ''] = [tokens[at], tokens[at + 1]];
  const deliveries = toCount(tokens[at + 2]);
  const streamSequence = toCount(tokens[at + 3]);
  const timeNs = toCount(tokens[at + 5]);
  const pending = toCount(tokens[at + 6]);
  const isWhole = deliveries >= 0 && streamSequence >= 0 && toCount(tokens[at + 4]) >= 0 && timeNs >= 0 && pending >= 0;
  return stream === '' || consumer === '' || !isWhole
    ? undefined
    : { stream, consumer, deliveries, streamSequence, storedAtMs: Math.floor(timeNs / 1e6), pending };
}

/** Not a number for what is no count. */
function toCount(token = ''): number {
  return /^\d+$/.test(token) ? Number(token) : Number.NaN;
}
