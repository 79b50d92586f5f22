import { closeSync, openSync, readSync } from 'node:fs';

const chunkBytes = 64 * 1024;

/** A file that another process appends lines to. */
export class LineFile {
  readonly #path: string;
  #offset = 0;
  #rest = '';

  constructor(path: string) {
    this.#path = path;
  }

  /** The lines that have been completed since the last time. */
  read(): string[] {
    const lines = `${this.#rest}${this.#readOn()}`.split('\n');
    this.#rest = lines.pop() ?? '';
    return lines;
  }

  #readOn(): string {
    const file = openSync(this.#path, 'a+');
    const decoder = new TextDecoder();
    const chunk = Buffer.alloc(chunkBytes);
    let text = '';
    try {
      for (;;) {
        const length = readSync(file, chunk, 0, chunkBytes, this.#offset);
        if (length === 0) {
          return text;
        }
        this.#offset += length;
        text += decoder.decode(chunk.subarray(0, length), { stream: true });
      }
    } finally {
      closeSync(file);
    }
  }
}
