// Starts everything on this machine: its processes and their files.

export { writeFunctionsFile } from './functions-file.ts';
export type { Installation } from './installation.ts';
export { createLocalApps } from './local-apps.ts';
export { createLocalNats } from './local-nats.ts';
export { prepareLocal } from './prepare.ts';
