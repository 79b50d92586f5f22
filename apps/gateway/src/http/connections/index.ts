// One connection of a client: the order of its requests, how it is closed, and answers to data that node could not
// parse.

export { createClientErrorHandler, createTunnelHandler } from './client-error.ts';
export { linger } from './linger.ts';
export { RequestSequencer } from './request-sequencer.ts';
export { probeSilentClient } from './silent-client.ts';
