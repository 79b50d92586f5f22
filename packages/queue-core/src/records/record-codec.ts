import type { Static, TSchema } from 'typebox';
import { Compile } from 'typebox/compile';

/** Reads and writes one kind of record as JSON in a header of ours. */
export interface RecordCodec<T> {
  readonly header: string;
  encode(record: T): string;
  /** Undefined for anything that is not such a record: anyone with access to the broker can store anything there. */
  decode(text: string): T | undefined;
}

export function createRecordCodec<const S extends TSchema>(header: string, schema: S): RecordCodec<Static<S>> {
  const checker = Compile(schema);
  return {
    header,
    encode: (record) => JSON.stringify(record),
    decode(text) {
      try {
        const parsed: unknown = JSON.parse(text);
        return checker.Check(parsed) ? parsed : undefined;
      } catch {
        return undefined;
      }
    },
  };
}
