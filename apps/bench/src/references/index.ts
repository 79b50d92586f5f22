// The references that asyncfn is measured against.

export { sendPings } from './pings.ts';
export { createWorkConsumer, createWorkStream, purgeStream } from './stream-admin.ts';
