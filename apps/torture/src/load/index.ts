// The load under which faults happen.

export { startCallee } from './callee.ts';
export { Receivers } from './receivers.ts';
export { Sender } from './sender.ts';
