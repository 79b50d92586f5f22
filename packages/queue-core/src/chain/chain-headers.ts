/** The headers that say where a call comes from, lower case. */
export const chainHeaders = {
  /** How many hops lie between a call and the first of its chain. */
  depth: 'x-chain-depth',
  /** Replays made of the call that a callback is about. */
  replays: 'x-replays',
  /** To a function: the call that its own call follows. Callbacks do not carry it. */
  parentCallId: 'x-parent-call-id',
} as const;

/** A call beyond this depth is not accepted. */
export const maxChainDepth = 32;
