// What the command prints: text that is safe in a terminal, tables, times, JSON, bodies.

export { confirm } from './confirm.ts';
export { toPrintable, toPrintableText } from './printable.ts';
export { formatAge, formatBytes, formatCount, formatSeconds, formatUntil } from './quantities.ts';
export { showBody } from './show-body.ts';
export { type Column, renderTable } from './table.ts';
export { Terminal } from './terminal.ts';
