// The functions file: its shape and the problems in it.

export {
  type FileDefinition,
  type FunctionsDefinition,
  parseFunctionEntry,
  withoutFile,
} from './functions-document.ts';
export { FunctionsFile, FunctionsFileError } from './functions-file.ts';
