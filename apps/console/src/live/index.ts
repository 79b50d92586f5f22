// What is read from the gateway again and again, and the samples that charts show of it.

export { History } from './history.ts';
export { Live } from './live.ts';
export { useLive, useLiveOf } from './use-live.ts';
export { type Pages, usePages } from './use-pages.ts';
