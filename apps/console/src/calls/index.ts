// Finding calls, and what every page says of a call.

export { type Call, hasEnded, hrefOf } from './call.ts';
export { FunctionName } from './call-columns.tsx';
export { CallsPage } from './calls-page.tsx';
export { StatusBadge } from './status-badge.tsx';
