// One connection of a client: whose turn it is, how it is closed, what is answered that node could not parse.

export { createClientErrorHandler, createTunnelHandler } from './client-error.ts';
export { linger } from './linger.ts';
export { RequestSequencer } from './request-sequencer.ts';
export { probeSilentClient } from './silent-client.ts';
