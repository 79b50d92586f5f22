// Large bodies: stored while they arrive, so that none is ever in memory as a whole.

export { buildLargeBodies } from './build-large-bodies.ts';
