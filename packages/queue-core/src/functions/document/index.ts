// The functions file: its shape and the problems in it.

export {
  type FileDefinition,
  type FunctionsDefinition,
  parseFunctionEntry,
  parseFunctionsFile,
  withoutFile,
} from './functions-document.ts';
