/** nats-server stores no message with more than 64 KiB of headers. The difference is for headers other than the record. */
const maxRecordBytes = 60 * 1024;
/** Records whose headers are smaller than this, at the most that their JSON can take, are not measured. */
const surelySmallBytes = 16 * 1024;

interface RecordWithHeaders {
  readonly headers: readonly (readonly [string, string])[];
}

/**
 * The record with as many of its headers, in order, as fit into a message. Returns the record itself if all of them
 * fit.
 */
export function withStorableHeaders<R extends RecordWithHeaders>(record: R): R {
  if (upperBoundBytes(record.headers) < surelySmallBytes) {
    return record;
  }
  let room = maxRecordBytes - jsonBytes({ ...record, headers: [] });
  const headers = record.headers.filter((header) => {
    const bytes = jsonBytes(header) + 1;
    const fits = bytes <= room;
    room -= fits ? bytes : 0;
    return fits;
  });
  return headers.length === record.headers.length ? record : { ...record, headers };
}

/** A character takes two bytes at most: those above 127, and quotation marks and backslashes, which are escaped. */
function upperBoundBytes(headers: RecordWithHeaders['headers']): number {
  let bytes = 0;
  for (const [name, value] of headers) {
    bytes += 8 + 2 * (name.length + value.length);
  }
  return bytes;
}

function jsonBytes(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}
