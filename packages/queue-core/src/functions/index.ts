// The functions: their names, their settings, the register of them and the file that lists them. Pure.

export type { OpenfaasSource } from './discovery/index.ts';
export {
  type DocumentContext,
  type FileDefinition,
  functionOfStep,
  parseFunctionEntry,
  parseFunctionsFile,
  secretFilesOf,
  withoutFile,
} from './document/index.ts';
export { fileSettings, withApi, withoutApi } from './entry-layers.ts';
export { defaultQueue, type FunctionConfig, maxRegistered, type RetrySettings } from './function-config.ts';
export { decodeEntry, encodeEntry, type FunctionEntry, isPaused } from './function-entry.ts';
export { type FunctionNames, FunctionRegister } from './function-register.ts';
export { changedSettings } from './function-settings.ts';
export type { FunctionSettings } from './functions-schema.ts';
export { type NamesOf, onlyName } from './names/index.ts';
export {
  type EntryWrite,
  type KnownFunction,
  SharedFunctions,
  type StoredFunction,
  type StrayFunction,
  toWrite,
  type Wish,
} from './shared-functions.ts';
export { keepCredentials } from './url/index.ts';
export { toWebhookConfig, type WebhookConfig } from './webhook/index.ts';
