// Starts everything on this machine: its processes and their files.

export { AppProcess, toEndError } from './app-process.ts';
export { type ChildEnvFacts, childEnv } from './child-env.ts';
export { type FolderLock, lockFolder } from './folder-lock.ts';
export { renderFunctionsFile } from './functions-file.ts';
export { type KeptSecret, keepSigningSecret } from './signing-secret.ts';
export { makeStateFolder } from './state-folder.ts';
