// The names of a function, with and without its namespace.

export {
  allNames,
  type EntryName,
  type NamesOf,
  nameOfEntry,
  namespaceOfDocument,
  onlyName,
  resolveName,
} from './default-namespace.ts';
