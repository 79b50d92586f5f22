// `GET /system/processes`: who is connected to the broker, and what workers have learnt about functions.

export { openDirectory } from './open-directory.ts';
export { type ProcessOptions, processRoutes } from './processes.ts';
