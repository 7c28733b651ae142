/**
 * Bytes, and the two kinds of text that stand for them.
 *
 * Bytes are `Uint8Array` in every signature; a `Buffer` is one, and most functions here return one. Because
 * `Buffer.slice` shares memory where `Uint8Array.slice` copies, take parts with `subarray` (shares) and copy with
 * `Uint8Array.from` or `concatBytes`. Small results may come from Node's shared 8 KiB pool: never look at `.buffer`
 * without `byteOffset`.
 *
 * A *binary string* is a string in which one char, U+0000..U+00FF, is one byte (Latin-1). Keys, names and paths travel
 * as binary strings inside the engine: comparing them with `<` compares bytes, they can be keys of a `Map`, and any
 * byte sequence survives.
 *
 * These functions are on hot paths. The comments give nanoseconds per call, Node 20, for the choice that was made.
 * Depends on Node's `Buffer` and on nothing of weft.
 * @module
 */
import { Buffer, isUtf8 } from 'node:buffer'

/**
 * Node's native slicers, called on plain `Uint8Array`s: 50 ns, where wrapping in a `Buffer` first takes 110 ns.
 * They are methods of every `Buffer`, but Node's type declarations leave them out.
 */
interface NativeText {
  latin1Slice(this: Uint8Array, start: number, end: number): string
  latin1Write(this: Uint8Array, text: string, offset: number, length: number): number
  utf8Slice(this: Uint8Array, start: number, end: number): string
  hexSlice(this: Uint8Array, start: number, end: number): string
}
const native = Buffer.prototype as unknown as NativeText

/** Up to this many bytes a loop beats a native call (7 ns for 8 bytes, against 45 ns for any length). */
const LOOP_MAX = 20

/**
 * Orders two byte strings as LevelDB does: byte by byte, unsigned, a prefix before what it begins.
 *
 * @returns A negative number, 0 or a positive number.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length)
  if (shared > LOOP_MAX) return Buffer.compare(a, b)
  for (let i = 0; i < shared; i++) {
    const difference = (a[i] as number) - (b[i] as number)
    if (difference !== 0) return difference
  }
  return a.length - b.length
}

/** Whether two byte strings are the same. Not constant in time: never for secrets. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && compareBytes(a, b) === 0
}

/** Whether `bytes` begins with `prefix`. */
export function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  if (prefix.length > bytes.length) return false
  for (let i = 0; i < prefix.length; i++) if (bytes[i] !== prefix[i]) return false
  return true
}

/** Joins byte strings into a new one. */
export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts)
}

/** Lower-case hex of `bytes`. */
export function toHex(bytes: Uint8Array): string {
  return native.hexSlice.call(bytes, 0, bytes.length)
}

/**
 * Bytes of a hex text, upper or lower case.
 *
 * @returns `undefined` unless `text` is an even number of hex digits and nothing else.
 */
export function fromHex(text: string): Uint8Array | undefined {
  // Buffer.from stops in silence at the first bad digit, so the text is checked first.
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text)) return undefined
  return Buffer.from(text, 'hex')
}

/** Binary string of the bytes `[start, end)`; of all of them by default. */
export function toLatin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return native.latin1Slice.call(bytes, start, end)
}

/** Bytes of a binary string. Chars over U+00FF are not bytes: only their low 8 bits would survive. */
export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1')
}

/**
 * Writes a binary string into `target` at `offset`. What does not fit is not written.
 *
 * @returns The number of bytes written.
 */
export function writeLatin1(target: Uint8Array, text: string, offset: number): number {
  return native.latin1Write.call(target, text, offset, target.length - offset)
}

/** UTF-8 bytes of a text. A lone surrogate, which UTF-8 cannot hold, becomes U+FFFD. */
export function encodeUtf8(text: string): Uint8Array {
  return Buffer.from(text, 'utf8')
}

/** Text of UTF-8 bytes, a byte order mark kept as U+FEFF; `undefined` when the bytes are not valid UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  return isUtf8(bytes) ? native.utf8Slice.call(bytes, 0, bytes.length) : undefined
}

/** Text of UTF-8 bytes, with U+FFFD for what is not valid UTF-8. For people to look at, never to encode again. */
export function decodeUtf8Lossy(bytes: Uint8Array): string {
  return native.utf8Slice.call(bytes, 0, bytes.length)
}

/**
 * Refuses a value that is not bytes, or not `length` of them.
 *
 * @param name - Name of the argument, for the message.
 * @throws {TypeError} When `value` is not a `Uint8Array`.
 * @throws {RangeError} When it is not `length` bytes long.
 */
export function assertBytes(value: unknown, name: string, length?: number): asserts value is Uint8Array {
  const wish = length === undefined ? 'a Uint8Array' : `a Uint8Array of ${length} bytes`
  if (!(value instanceof Uint8Array)) {
    throw new TypeError(`${name}: expected ${wish}, got ${value === null ? 'null' : typeof value}`)
  }
  if (length !== undefined && value.length !== length) {
    throw new RangeError(`${name}: expected ${wish}, got ${value.length} bytes`)
  }
}
