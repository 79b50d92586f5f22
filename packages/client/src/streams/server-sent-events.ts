/** A server-sent event. */
export interface ServerSentEvent {
  readonly type: string;
  readonly data: string;
}

/** Parses server-sent events (WHATWG HTML, 9.2.6). What is not complete at the end is dropped, as the standard says. */
export async function* toEvents(lines: AsyncIterable<string>): AsyncGenerator<ServerSentEvent, void, undefined> {
  let fields: Field[] = [];
  for await (const raw of lines) {
    const line = raw.endsWith('\r') ? raw.slice(0, -1) : raw;
    if (line !== '') {
      fields.push(toField(line));
      continue;
    }
    const data = valuesOf(fields, 'data');
    if (data.length > 0) {
      yield { type: valuesOf(fields, 'event').at(-1) || 'message', data: data.join('\n') };
    }
    fields = [];
  }
}

interface Field {
  readonly name: string;
  readonly value: string;
}

/** `NAME: VALUE`; a comment has no name. */
function toField(line: string): Field {
  const colon = line.indexOf(':');
  return colon < 0
    ? { name: line, value: '' }
    : { name: line.slice(0, colon), value: line.slice(colon + 1).replace(/^ /, '') };
}

function valuesOf(fields: readonly Field[], wanted: string): string[] {
  return fields.filter(({ name }) => name === wanted).map(({ value }) => value);
}
