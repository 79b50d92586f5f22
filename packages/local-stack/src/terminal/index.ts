// What the terminal shows while everything runs on this machine.

export { renderBanner } from './banner.ts';
export { parseLogLine } from './log-line.ts';
export { SignalFilter } from './signal-filter.ts';
export { Terminal } from './terminal.ts';
