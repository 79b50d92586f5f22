import { connect } from '@nats-io/transport-node';

/** From one connection, one after the other, as a worker sends them but for the pauses. */
export async function sendPings(natsUrl: string, count: number): Promise<void> {
  const connection = await connect({ servers: natsUrl });
  for (let sent = 0; sent < count; sent += 1) {
    await connection.flush();
  }
  await connection.close();
}
