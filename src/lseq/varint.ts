/**
 * Bytes written and read one after another, integers among them: little-endian base 128, the low seven bits first, a
 * set high bit meaning that more follow. LevelDB's files and weft's pages hold integers so.
 * @module
 */

/** Reads a byte string from a place on. A step over its end makes `ok` false for good, and gives zeros. */
export class ByteReader {
  readonly bytes: Uint8Array
  /** Offset of what is read next. */
  at: number
  readonly end: number
  ok = true

  constructor(bytes: Uint8Array, at = 0, end = bytes.length) {
    this.bytes = bytes
    this.at = at
    this.end = end
  }

  get done(): boolean {
    return !this.ok || this.at >= this.end
  }

  byte(): number {
    if (this.at >= this.end) {
      this.ok = false
      return 0
    }
    return this.bytes[this.at++] as number
  }

  /** The next integer. Above 2^53 it is rounded; beyond ten bytes it is refused. */
  varint(): number {
    const first = this.byte()
    if (first < 128) return first
    let value = first & 127
    for (let scale = 128; scale < 2 ** 64; scale *= 128) {
      const byte = this.byte()
      value += (byte & 127) * scale
      if (byte < 128) return value
    }
    this.ok = false
    return 0
  }

  /** The next `length` bytes, shared. */
  take(length: number): Uint8Array {
    if (length > this.end - this.at) this.ok = false
    if (!this.ok) return new Uint8Array(0)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }
}

/** Collects bytes in a buffer that grows. */
export class ByteWriter {
  #bytes: Uint8Array
  length = 0

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity)
  }

  byte(value: number): void {
    if (this.length === this.#bytes.length) this.#grow(1)
    this.#bytes[this.length++] = value
  }

  /** @param value - A whole number, `0 <= value < 2^53`. */
  varint(value: number): void {
    let rest = value
    while (rest >= 128) {
      this.byte((rest % 128) | 128)
      rest = Math.floor(rest / 128)
    }
    this.byte(rest)
  }

  bytes(source: Uint8Array, start = 0, end = source.length): void {
    const count = end - start
    if (this.length + count > this.#bytes.length) this.#grow(count)
    // A loop beats a native copy for the few bytes of a key.
    if (count < 32) for (let i = 0; i < count; i++) this.#bytes[this.length + i] = source[start + i] as number
    else this.#bytes.set(source.subarray(start, end), this.length)
    this.length += count
  }

  /** What was written, shared: it changes when more is written. */
  view(): Uint8Array {
    return this.#bytes.subarray(0, this.length)
  }

  #grow(count: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.length + count))
    larger.set(this.view())
    this.#bytes = larger
  }
}
