// Hands the result of a call on to the next step of its chain.

export { HandOn } from './hand-on.ts';
