import { type Document, isScalar, type ParseOptions, parseAllDocuments, parseDocument, type SchemaOptions } from 'yaml';

export type ParsedDocument = Document.Parsed;

interface ParsedText {
  readonly document: ParsedDocument;
  /** Start lines of further documents, which are not allowed. */
  readonly furtherAt: readonly number[];
}

/** The one document of a text. Empty ones beside it do not count: a `---` at the end starts one. */
export function parseOnly(text: string, options: ParseOptions & SchemaOptions): ParsedText {
  const all: readonly ParsedDocument[] = parseAllDocuments(text, options);
  const [first, ...further] = all.filter((document) => !isEmpty(document));
  return {
    document: first ?? all[0] ?? parseDocument('', options),
    furtherAt: further.map(({ range }) => range[0]),
  };
}

function isEmpty({ contents, errors }: ParsedDocument): boolean {
  return errors.length === 0 && (contents === null || (isScalar(contents) && contents.value === null));
}
