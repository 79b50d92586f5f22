// The console's files under `/console`, and what it asks first: who the caller is.

export { consoleRoutes } from './console.ts';
export { consoleFolder } from './console-files.ts';
