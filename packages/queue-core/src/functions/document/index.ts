// The functions file: its shape and the problems in it.

export type { DocumentContext } from './document-context.ts';
export { functionOfStep } from './follow-up-problems.ts';
export {
  type FileDefinition,
  type FunctionsDefinition,
  parseFunctionEntry,
  parseFunctionsFile,
  secretFilesOf,
  withoutFile,
} from './functions-document.ts';
