// What the command prints: text that is safe in a terminal, tables, times, JSON, bodies.

export { toPrintable, toPrintableText } from './printable.ts';
export { formatAge, formatUntil } from './relative-time.ts';
export { showBody } from './show-body.ts';
export { Terminal } from './terminal.ts';
