// What the worker tells of itself to gateways that ask: its functions, their learnt limits and failures.

export { startReporting } from './start-reporting.ts';
