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
  const [stream = '', consumer = '', ...counts] = tokens.slice(at, at + 7);
  if (stream === '' || consumer === '' || counts.length < 5 || !counts.every(isCount)) {
    return undefined;
  }
  const [deliveries = 0, streamSequence = 0, , timeNs = 0, pending = 0] = counts.map(Number);
  return { stream, consumer, deliveries, streamSequence, storedAtMs: Math.floor(timeNs / 1e6), pending };
}

function isCount(token: string): boolean {
  return /^\d+$/.test(token);
}
