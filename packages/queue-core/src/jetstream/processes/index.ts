// Which processes are connected, and what they tell of themselves.

export { type OwnFacts, ProcessDirectory, reportProcess } from './process-directory.ts';
