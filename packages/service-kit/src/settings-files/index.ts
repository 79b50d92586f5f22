// Files that settings name: read, watched, and read again when they change.

export { type FurtherFiles, type ParsedSettings, SettingsFile } from './settings-file.ts';
export { watchFile } from './watch-file.ts';
