/** From this size on, a body of known length is assembled while it arrives. */
const largeBytes = 64 * 1024;

/**
 * A body that arrives in chunks. Assembling a large one at its end blocks the event loop, 10 ms for 8 MiB: if its
 * length is known and its bytes are reserved, each chunk is copied to its place as it arrives.
 */
export class CollectedBody {
  readonly #chunks: Buffer[] = [];
  #whole: Buffer | undefined;
  #length = 0;

  /** @param expected length of the whole body, if it is known and its bytes are reserved; else 0 */
  add(chunk: Buffer, expected: number): void {
    if (this.#whole === undefined && expected >= largeBytes) {
      const whole = Buffer.allocUnsafeSlow(expected);
      Buffer.concat(this.#chunks.splice(0)).copy(whole);
      this.#whole = whole;
    }
    if (this.#whole === undefined) {
      this.#chunks.push(chunk);
    } else {
      chunk.copy(this.#whole, this.#length);
    }
    this.#length += chunk.length;
  }

  /** Everything received so far. */
  toBuffer(): Buffer {
    return this.#whole?.subarray(0, this.#length) ?? Buffer.concat(this.#chunks);
  }
}
