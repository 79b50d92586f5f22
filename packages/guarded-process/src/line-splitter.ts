import { StringDecoder } from 'node:string_decoder';

/** A longer line is handed over in pieces, so that a child which never ends its line cannot fill the memory. */
const MAX_LINE_CHARS = 1024 * 1024;

export interface LineSplitter {
  push(chunk: Buffer): void;
  /** Hands over the last line if it had no line end. */
  end(): void;
}

/**
 * Cuts UTF-8 chunks into lines at `\n` and `\r\n` only. (node:readline also cuts at U+2028, which stands unescaped
 * in JSON log lines.)
 */
export function createLineSplitter(onLine: (line: string) => void): LineSplitter {
  const decoder = new StringDecoder('utf8');
  let rest = '';

  const emit = (line: string): void => onLine(line.endsWith('\r') ? line.slice(0, -1) : line);

  const push = (text: string): void => {
    const lines = text.split('\n');
    lines[0] = rest + lines[0];
    rest = lines.pop() ?? '';
    for (const line of lines) {
      emit(line);
    }
    if (rest.length < MAX_LINE_CHARS) {
      return;
    }
    onLine(rest);
    rest = '';
  };

  return {
    push: (chunk) => push(decoder.write(chunk)),
    end: () => {
      push(decoder.end());
      if (rest !== '') {
        emit(rest);
      }
      rest = '';
    },
  };
}
