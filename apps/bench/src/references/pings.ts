import { connect } from '@nats-io/transport-node';

/** Pings from one connection, one after the other, like those of a worker but without its pauses. */
export async function sendPings(natsUrl: string, count: number): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  for (let sent = 0; sent < count; sent += 1) {
    await connection.flush();
  }
  await connection.close();
}
